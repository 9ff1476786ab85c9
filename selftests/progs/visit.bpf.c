// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Reads a task without handing it on: possible with a task_struct of the module's own, too. */
#include "common.h"
#include "kbtf_test_types.h"

int visit_line;
int visit_pid;

SEC("fentry/kbtf_test_visit")
int BPF_PROG(visit, struct task_struct *task, const struct kbtf_test_item *item)
{
	REQUIRE(visit, item->id == 1000);
	visit_pid = task->pid;
	PASS(visit);
	return 0;
}
