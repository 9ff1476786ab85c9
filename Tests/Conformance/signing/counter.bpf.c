// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

int runs;

SEC("fentry/do_exit")
int BPF_PROG(counter)
{
	runs++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
