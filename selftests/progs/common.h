/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What all programs share. vmlinux.h is made by `kbtf dump` from the kernel
 * that the test is for.
 *
 * A program reports its result in a variable NAME_line: 0 when it did not run,
 * PASSED, or the line of the first REQUIRE() that did not hold.
 */
#ifndef PROGS_COMMON_H
#define PROGS_COMMON_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define PASSED		(-1)

#define REQUIRE(name, condition)			\
	do {						\
		if (!(condition)) {			\
			name##_line = __LINE__;		\
			return 0;			\
		}					\
	} while (0)

#define PASS(name)					\
	do {						\
		if (!name##_line)			\
			name##_line = PASSED;		\
	} while (0)

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#endif
