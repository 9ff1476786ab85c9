// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that may sleep: one reads the first word of a command line out of user
 * memory, the other asks for a keyring by functions of the kernel that programs
 * may call since 6.1.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

/* The keyring of keys that are built into the kernel. */
#define BUILT_IN_KEYS	0

extern struct bpf_key *bpf_lookup_system_key(__u64 id) __ksym;
extern void bpf_key_put(struct bpf_key *key) __ksym;

struct command {
	__u64 count;
	char first[32];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct command);
} commands SEC(".maps");

__u64 looked_up, found, unreadable;

SEC("lsm.s/bprm_committed_creds")
int BPF_PROG(read_command, struct linux_binprm *bprm)
{
	struct command *command;
	__u32 zero = 0;

	command = bpf_map_lookup_elem(&commands, &zero);
	if (!command)
		return 0;
	__sync_fetch_and_add(&command->count, 1);
	/* The words lie where the new program's stack begins. */
	if (bpf_copy_from_user(command->first, sizeof(command->first), (void *)bprm->p))
		__sync_fetch_and_add(&unreadable, 1);
	return 0;
}

SEC("lsm.s/bpf")
int BPF_PROG(ask_keyring, int command)
{
	struct bpf_key *key;

	if (command != BPF_OBJ_GET_INFO_BY_FD)
		return 0;
	__sync_fetch_and_add(&looked_up, 1);
	key = bpf_lookup_system_key(BUILT_IN_KEYS);
	if (!key)
		return 0;
	__sync_fetch_and_add(&found, 1);
	bpf_key_put(key);
	return 0;
}
