// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A module function's `struct task_struct *` goes to a helper that wants the
 * kernel's. The verifier compares identity: it passes only where the module's
 * BTF refers to the type of the kernel instead of having one of its own.
 */
#include "common.h"
#include "kbtf_test_types.h"

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u64);
} visits SEC(".maps");

int visited_line;
int visited_pid;
u64 visited_count;

SEC("fentry/kbtf_test_visit")
int BPF_PROG(visited, struct task_struct *task, const struct kbtf_test_item *item)
{
	u64 *count = bpf_task_storage_get(&visits, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	REQUIRE(visited, count);
	*count += item->id;
	visited_count = *count;
	visited_pid = task->pid;
	PASS(visited);
	return 0;
}
