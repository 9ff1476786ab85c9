// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Functions that BPF programs may call. */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "kbtf_test.h"

/* Each kernel has its own way to mark them. */
#ifndef __bpf_kfunc
#define __bpf_kfunc __used noinline
#endif
#ifndef BTF_KFUNCS_START
#define BTF_KFUNCS_START(name) BTF_SET8_START(name)
#define BTF_KFUNCS_END(name) BTF_SET8_END(name)
#endif

__bpf_kfunc u64 kbtf_test_weigh(u64 a, u32 b)
{
	return a * 10 + b;
}

__bpf_kfunc struct kbtf_test_item *kbtf_test_take(u32 id)
{
	struct kbtf_test_item *item = kzalloc(sizeof(*item), GFP_ATOMIC);

	if (!item)
		return NULL;
	item->id = id;
	item->weight = 77;
	item->place.y = -5;
	return item;
}

__bpf_kfunc void kbtf_test_give(struct kbtf_test_item *item)
{
	kfree(item);
}

#ifdef KF_IMPLICIT_ARGS
/* The verifier adds the last argument: programs call it with one. */
__bpf_kfunc u64 kbtf_test_served(u64 a, struct bpf_prog_aux *aux)
{
	return aux->id ? a + 1 : 0;
}
#endif

BTF_KFUNCS_START(kbtf_test_kfunc_ids)
BTF_ID_FLAGS(func, kbtf_test_weigh)
BTF_ID_FLAGS(func, kbtf_test_take, KF_ACQUIRE | KF_RET_NULL)
BTF_ID_FLAGS(func, kbtf_test_give, KF_RELEASE)
#ifdef KF_IMPLICIT_ARGS
BTF_ID_FLAGS(func, kbtf_test_served, KF_IMPLICIT_ARGS)
#endif
BTF_KFUNCS_END(kbtf_test_kfunc_ids)

static const struct btf_kfunc_id_set kbtf_test_kfunc_set = {
	.owner	= THIS_MODULE,
	.set	= &kbtf_test_kfunc_ids,
};

int kbtf_test_register_kfuncs(void)
{
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_SCHED_CLS, &kbtf_test_kfunc_set);
}
