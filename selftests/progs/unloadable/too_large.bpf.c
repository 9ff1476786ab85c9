// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The last map is larger than any machine's memory. */
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

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << 29);
	__uint(key_size, 4);
	__uint(value_size, 1 << 20);
} huge SEC(".maps");

int runs = 1;

SEC("lsm/file_open")
int BPF_PROG(opened, struct file *file)
{
	int key = runs;

	bpf_map_delete_elem(&counts, &key);
	return bpf_map_lookup_elem(&huge, &key) ? 0 : 0;
}
