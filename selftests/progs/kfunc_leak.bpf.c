// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Takes and does not give back: refused only where KF_ACQUIRE still stands with
 * the id of the right function after the set was sorted.
 */
#include "common.h"
#include "kbtf_test_types.h"

extern struct kbtf_test_item *kbtf_test_take(u32 id) __ksym;

SEC("tc")
int leak(struct __sk_buff *skb)
{
	struct kbtf_test_item *item = kbtf_test_take(1);

	return item ? item->id : 0;
}
