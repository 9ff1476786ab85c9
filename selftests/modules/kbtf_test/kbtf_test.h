/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the BPF programs of selftests/progs look at: they know these types from
 * BTF only, and declare what they use of them in their own way.
 */
#ifndef KBTF_TEST_H
#define KBTF_TEST_H

#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/types.h>

enum kbtf_test_state {
	KBTF_TEST_IDLE	= 3,
	KBTF_TEST_BUSY	= 17,
};

struct kbtf_test_place {
	s32	x;
	s32	y;
};

struct kbtf_test_item {
	char			label[12];
	u32			id;
	u16			colour:5,
				weight:9;
	enum kbtf_test_state	state;
	union {
		u64			word;
		struct kbtf_test_place	place;
	};
	const struct kbtf_test_item *next;
};

struct kbtf_test_count {
	u64	calls;
	u64	total;
};

DECLARE_PER_CPU(struct kbtf_test_count, kbtf_test_counts);

u64 kbtf_test_mix(struct kbtf_test_item *item, u64 a, s32 b, u16 c, bool d);
int kbtf_test_visit(struct task_struct *task, const struct kbtf_test_item *item);

int kbtf_test_register_kfuncs(void);
u64 kbtf_test_weigh(u64 a, u32 b);
struct kbtf_test_item *kbtf_test_take(u32 id);
void kbtf_test_give(struct kbtf_test_item *item);
struct bpf_prog_aux;
u64 kbtf_test_served(u64 a, struct bpf_prog_aux *aux);

#endif
