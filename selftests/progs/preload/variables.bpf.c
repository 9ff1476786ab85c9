// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * fentry and fexit on functions of the kernel, and global data of every kind:
 * .data, .rodata, .bss and a section with a name of its own; static and global,
 * of several sizes, with gaps between them.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct seen {
	__u64 calls;
	__s64 last_length;
	__s32 last_result;
	__u16 mode;
	__u8 level;
};

/* .rodata */
const volatile __u32 factor = 3;
static const volatile __u8 level = 7;
const volatile char title[] = "fallocate";

/* .data */
__s64 smallest = 1LL << 62;
static volatile __u16 mode_mask = 0x0fff;
__u8 enabled = 1;

/* .bss */
struct seen entered, left;
static volatile __u64 weighed;
__u64 slept;

/* .data.limits */
__u64 longest SEC(".data.limits") = 1 << 20;
static volatile __u32 over SEC(".data.limits") = 5;

SEC("fentry/vfs_fallocate")
int BPF_PROG(enter_fallocate, struct file *file, int mode, loff_t offset, loff_t length)
{
	if (!enabled)
		return 0;
	entered.calls++;
	entered.last_length = length;
	entered.mode = mode & mode_mask;
	entered.level = level;
	if (length < smallest)
		smallest = length;
	if (length > longest)
		over++;
	weighed += length * factor;
	return 0;
}

SEC("fexit/vfs_fallocate")
int BPF_PROG(leave_fallocate, struct file *file, int mode, loff_t offset, loff_t length, int result)
{
	if (!enabled)
		return 0;
	left.calls++;
	left.last_length = length;
	left.last_result = result;
	left.level = title[0];
	return 0;
}

SEC("fexit/hrtimer_nanosleep")
int BPF_PROG(leave_nanosleep)
{
	__sync_fetch_and_add(&slept, 1);
	return 0;
}
