// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a module can attach since libbpf 1.7, with variables of each CPU. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

int runs SEC(".percpu") = 1000;
int entered, left;

SEC("fsession/__x64_sys_getpgid")
int BPF_PROG(on_call)
{
	runs++;
	if (bpf_session_is_return(ctx))
		left++;
	else
		entered++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
