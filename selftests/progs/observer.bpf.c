// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * fexit on the programs of target.bpf.c. The argument is a `struct __sk_buff *`
 * there; here it is the kernel's sk_buff.
 */
#include "common.h"

int main_left_line, scale_left_line, plain_left_line;

SEC("fexit")
int BPF_PROG(main_left, struct sk_buff *skb, int result)
{
	REQUIRE(main_left, skb->len == 64);
	REQUIRE(main_left, result == 192);
	PASS(main_left);
	return 0;
}

SEC("fexit")
int BPF_PROG(scale_left, struct sk_buff *skb, int by, int result)
{
	REQUIRE(scale_left, skb->len == 64);
	REQUIRE(scale_left, by == 3);
	REQUIRE(scale_left, result == 192);
	PASS(scale_left);
	return 0;
}

SEC("fexit")
int BPF_PROG(plain_left, struct sk_buff *skb, int result)
{
	REQUIRE(plain_left, skb->len == 64);
	REQUIRE(plain_left, result == 65);
	PASS(plain_left);
	return 0;
}
