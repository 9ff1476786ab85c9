/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The rules of policy.bpf.c, for it and for those who write them. */
#ifndef PRELOAD_POLICY_H
#define PRELOAD_POLICY_H

/* Bits of a rule. */
enum operation {
	OPERATION_READ = 1 << 0,
	OPERATION_WRITE = 1 << 1,
	OPERATION_REMOVE = 1 << 2,
	OPERATION_RENAME = 1 << 3,
	OPERATION_LINK = 1 << 4,
	OPERATION_CHANGE = 1 << 5,	/* mode, owner, times, size, extended attributes */
	OPERATION_EXECUTE = 1 << 6,
	OPERATION_SIGNAL = 1 << 7,
	OPERATION_TRACE = 1 << 8,
	OPERATION_PRIORITY = 1 << 9,
};

/* A file, or a process; what does not belong to it is 0. */
struct subject {
	__u64 inode;
	__u32 device;
	__u32 process;
};

struct rule {
	__u32 denied;	/* enum operation */
	__u32 reserved;
	__u64 denials;
};

#endif
