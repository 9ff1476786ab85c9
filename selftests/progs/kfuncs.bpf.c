// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Functions of a module, called through the ids in its .BTF_ids. */
#include "common.h"
#include "kbtf_test_types.h"

extern u64 kbtf_test_weigh(u64 a, u32 b) __ksym;
extern struct kbtf_test_item *kbtf_test_take(u32 id) __ksym;
extern void kbtf_test_give(struct kbtf_test_item *item) __ksym;

int weigh_line, borrow_line;

SEC("tc")
int weigh(struct __sk_buff *skb)
{
	REQUIRE(weigh, kbtf_test_weigh(12, 34) == 154);
	REQUIRE(weigh, kbtf_test_weigh(1ULL << 40, ~0U) == (10ULL << 40) + 0xffffffffULL);
	PASS(weigh);
	return 0;
}

SEC("tc")
int borrow(struct __sk_buff *skb)
{
	struct kbtf_test_item *item = kbtf_test_take(55);
	u32 id;
	s32 y;

	REQUIRE(borrow, item);
	id = item->id;
	y = item->place.y;
	kbtf_test_give(item);
	REQUIRE(borrow, id == 55);
	REQUIRE(borrow, y == -5);
	PASS(borrow);
	return 0;
}
