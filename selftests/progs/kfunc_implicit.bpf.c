// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A function of a module whose last argument comes from the verifier (KF_IMPLICIT_ARGS). */
#include "common.h"

extern u64 kbtf_test_served(u64 a) __ksym;

int served_line;

SEC("tc")
int served(struct __sk_buff *skb)
{
	REQUIRE(served, kbtf_test_served(1ULL << 40) == (1ULL << 40) + 1);
	PASS(served);
	return 0;
}
