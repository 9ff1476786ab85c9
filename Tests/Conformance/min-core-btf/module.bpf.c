// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Where a member of a module's struct is, and one of the kernel's, as CO-RE finds them.
// -DTYPE=fuse_conn -DMEMBER=max_read -DMEMBER_TYPE="unsigned int"

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

struct TYPE {
	MEMBER_TYPE MEMBER;
} __attribute__((preserve_access_index));

struct task_struct {
	int pid;
} __attribute__((preserve_access_index));

/* Offset, size of the struct, offset in the kernel's. */
unsigned int found[3];

SEC("raw_tp/sys_enter")
int look(void *ctx)
{
	found[0] = bpf_core_field_offset(struct TYPE, MEMBER);
	found[1] = bpf_core_type_size(struct TYPE);
	found[2] = bpf_core_field_offset(struct task_struct, pid);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
