// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * BPF programs that others attach to, with a subprogram and without. Their BTF
 * is the compiler's; what comes from the kernel in it is held against the
 * kernel's own.
 */
#include "common.h"

__attribute__((noinline)) int scale(struct __sk_buff *skb, int by)
{
	/* Read, for a subprogram without use of its arguments would lose them. */
	volatile int length = skb->len;

	return length * by;
}

SEC("tc")
int with_subprogram(struct __sk_buff *skb)
{
	return scale(skb, 3);
}

SEC("tc")
int without_subprogram(struct __sk_buff *skb)
{
	return skb->len + 1;
}
