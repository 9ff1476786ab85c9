/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The types of modules/kbtf_test as a BPF program may know them: fewer members,
 * in another order, of other sizes. Where they are is for CO-RE to find out from
 * the module's BTF; without it every access would miss.
 */
#ifndef PROGS_KBTF_TEST_TYPES_H
#define PROGS_KBTF_TEST_TYPES_H

#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)

enum kbtf_test_state {
	KBTF_TEST_IDLE	= 1,
	KBTF_TEST_BUSY	= 2,
};

struct kbtf_test_place {
	s32	y;
	s32	x;
};

struct kbtf_test_item {
	const struct kbtf_test_item *next;
	enum kbtf_test_state	state;
	struct kbtf_test_place	place;
	u16			weight:9,
				colour:5;
	u32			id;
	char			label[12];
};

struct kbtf_test_count {
	u64	total;
	u64	calls;
};

#pragma clang attribute pop

#endif
