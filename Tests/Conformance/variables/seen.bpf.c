// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Reads two variables that the kernel's own BTF does not describe.

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

extern const int panic_timeout __ksym;
/* static in the kernel */
extern const unsigned int warn_limit __ksym;

int timeout;
unsigned int limit;

SEC("syscall") int look(void *context)
{
	timeout = panic_timeout;
	limit = warn_limit;
	return 0;
}
