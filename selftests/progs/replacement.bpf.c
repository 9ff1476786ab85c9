// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* freplace: takes the place of a subprogram of the same prototype. */
#include "common.h"

int scaled_line;

SEC("freplace")
int scaled(struct __sk_buff *skb, int by)
{
	REQUIRE(scaled, skb->len == 64);
	REQUIRE(scaled, by == 3);
	PASS(scaled);
	return 1000 + by;
}
