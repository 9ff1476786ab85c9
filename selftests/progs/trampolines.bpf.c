// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that share a function's trampoline, follow a tail call, and change a return value. */
#include "common.h"

int jumper_left_line, changed_line;
int entered_runs, jumper_left_result, change_to;

SEC("fentry/kbtf_test_mix")
int BPF_PROG(entered)
{
	entered_runs++;
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, u32);
} jumps SEC(".maps");

/* The index is a constant, so the kernel patches the jump into the program. */
SEC("tc")
int jumper(struct __sk_buff *skb)
{
	bpf_tail_call_static(skb, &jumps, 1);
	return 5;
}

SEC("tc")
int first_landing(struct __sk_buff *skb)
{
	return skb->len + 13;
}

SEC("tc")
int second_landing(struct __sk_buff *skb)
{
	return skb->len + 14;
}

SEC("fexit")
int BPF_PROG(jumper_left, struct sk_buff *skb, int result)
{
	REQUIRE(jumper_left, skb->len == 64);
	jumper_left_result = result;
	PASS(jumper_left);
	return 0;
}

SEC("fmod_ret/bpf_modify_return_test")
int BPF_PROG(changed, int a, int *b, int result)
{
	REQUIRE(changed, a == 1);
	REQUIRE(changed, result == 0);
	PASS(changed);
	return change_to;
}
