// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The last program's function is in no kernel: the loader fails with those before it loaded. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, int);
	__type(value, long);
} counts SEC(".maps");

int runs;

SEC("iter/bpf_map")
int walk(struct bpf_iter__bpf_map *context)
{
	runs++;
	return 0;
}

SEC("lsm/file_open")
int BPF_PROG(opened, struct file *file)
{
	int key = 0;

	bpf_map_delete_elem(&counts, &key);
	return 0;
}

SEC("fentry/kbtf_no_such_function")
int BPF_PROG(missing)
{
	return 0;
}
