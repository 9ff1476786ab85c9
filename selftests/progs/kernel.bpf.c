// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The kernel's own functions and tracepoints: a new task, seen twice on its way. */
#include "common.h"

int started_line, announced_line;
int my_pid;
int started_pid, announced_pid;

SEC("fentry/wake_up_new_task")
int BPF_PROG(started, struct task_struct *task)
{
	if (task->real_parent->tgid != my_pid)
		return 0;
	REQUIRE(started, task->mm);
	REQUIRE(started, task->cred->uid.val == 0);
	started_pid = task->pid;
	PASS(started);
	return 0;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(announced, struct task_struct *task, u64 flags)
{
	struct task_struct *current_task = bpf_get_current_task_btf();

	if (current_task->tgid != my_pid)
		return 0;
	REQUIRE(announced, task->real_parent == current_task);
	announced_pid = task->pid;
	PASS(announced);
	return 0;
}
