// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The last program hangs on a function of modules/kbtf_test and wants a variable that no kernel has. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

extern const struct rq kbtf_no_such_variable __ksym;

long address;

SEC("iter/bpf_map")
int walk(struct bpf_iter__bpf_map *context)
{
	return 0;
}

SEC("fentry/kbtf_test_mix")
int BPF_PROG(missing)
{
	address = (long)&kbtf_no_such_variable;
	return 0;
}
