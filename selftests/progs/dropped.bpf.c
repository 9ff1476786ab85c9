// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Subprograms of which the compiler drops an argument, since they do not use it; and their observers. */
#include "common.h"

int counted_line, counted_result;

static __attribute__((noinline)) int lost(int unused, struct __sk_buff *skb)
{
	volatile int length = skb->len;

	return length * 2;
}

__attribute__((noinline)) int lost_in_public(int unused, struct __sk_buff *skb)
{
	volatile int length = skb->len;

	return length * 2;
}

SEC("tc")
int calls_static(struct __sk_buff *skb)
{
	return lost(5, skb);
}

SEC("tc")
int calls_global(struct __sk_buff *skb)
{
	return lost_in_public(5, skb);
}

SEC("fexit")
int BPF_PROG(followed, int unused, struct sk_buff *skb)
{
	counted_result = skb->len;
	return 0;
}

/* What the verifier gives instead: five numbers, and the result. */
SEC("fexit")
int BPF_PROG(counted, u64 a, u64 b, u64 c, u64 d, u64 e, int result)
{
	counted_result = result;
	PASS(counted);
	return 0;
}
