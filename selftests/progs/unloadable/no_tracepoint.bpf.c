// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The last program's tracepoint is in no kernel: all is loaded, and those before it are attached. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

int runs;

SEC("lsm/file_open")
int BPF_PROG(opened, struct file *file)
{
	runs++;
	return 0;
}

SEC("iter/bpf_map")
int walk(struct bpf_iter__bpf_map *context)
{
	return 0;
}

SEC("raw_tp/kbtf_no_such_tracepoint")
int missing(void *context)
{
	return 0;
}
