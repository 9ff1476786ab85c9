// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Variables of which each CPU has its own. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct {
	long a, b;
} pair SEC(".percpu") = { .b = -5 };
int runs SEC(".percpu") = 1000;
int seen;

SEC("raw_tp/sys_enter")
int on_enter(void *ctx)
{
	runs++;
	pair.b--;
	seen = 1;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
