// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* freplace of a subprogram by one of another prototype: refused by BTF. */
#include "common.h"

SEC("freplace")
int misfit(struct __sk_buff *skb, struct __sk_buff *by)
{
	return skb->len;
}
