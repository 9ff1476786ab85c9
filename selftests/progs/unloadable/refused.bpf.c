// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The verifier refuses the last program: it does not ask whether the element is there. */
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

SEC("iter/bpf_map")
int walk(struct bpf_iter__bpf_map *context)
{
	return 0;
}

SEC("lsm/file_open")
int BPF_PROG(opened, struct file *file)
{
	int key = 0;
	long *count = bpf_map_lookup_elem(&counts, &key);

	return *count ? 0 : -1;
}
