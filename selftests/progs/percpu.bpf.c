// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A module's per-CPU variable, of another CPU and of this one. */
#include "common.h"
#include "kbtf_test_types.h"

extern const struct kbtf_test_count kbtf_test_counts __ksym;

int counted_line;
u64 calls, total, calls_here;

SEC("fentry/kbtf_test_visit")
int BPF_PROG(counted)
{
	const struct kbtf_test_count *count, *here;

	count = bpf_per_cpu_ptr(&kbtf_test_counts, 0);
	REQUIRE(counted, count);
	REQUIRE(counted, !bpf_per_cpu_ptr(&kbtf_test_counts, 100000));
	calls = count->calls;
	total = count->total;
	here = bpf_this_cpu_ptr(&kbtf_test_counts);
	calls_here = here->calls;
	PASS(counted);
	return 0;
}
