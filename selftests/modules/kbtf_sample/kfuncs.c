// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Functions that BPF programs may call. */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "kbtf_sample.h"

/* Each kernel has its own way to mark them. */
#ifndef __bpf_kfunc
#define __bpf_kfunc __used noinline
#endif
#ifndef BTF_KFUNCS_START
#define BTF_KFUNCS_START(name) BTF_SET8_START(name)
#define BTF_KFUNCS_END(name) BTF_SET8_END(name)
#endif

__bpf_kfunc u64 kbtf_sample_sum(u64 a, u32 b, u16 c, u8 d)
{
	return a + b + c + d;
}

__bpf_kfunc struct kbtf_sample_request *kbtf_sample_acquire(u32 slot)
{
	struct kbtf_sample_request *request = kzalloc(sizeof(*request), GFP_ATOMIC);

	if (request)
		request->slot = slot;
	return request;
}

__bpf_kfunc void kbtf_sample_release(struct kbtf_sample_request *request)
{
	kfree(request);
}

BTF_KFUNCS_START(kbtf_sample_kfunc_ids)
BTF_ID_FLAGS(func, kbtf_sample_sum)
BTF_ID_FLAGS(func, kbtf_sample_acquire, KF_ACQUIRE | KF_RET_NULL)
BTF_ID_FLAGS(func, kbtf_sample_release, KF_RELEASE)
BTF_KFUNCS_END(kbtf_sample_kfunc_ids)

static const struct btf_kfunc_id_set kbtf_sample_kfunc_set = {
	.owner	= THIS_MODULE,
	.set	= &kbtf_sample_kfunc_ids,
};

int kbtf_sample_register_kfuncs(void)
{
	int error;

	error = register_btf_kfunc_id_set(BPF_PROG_TYPE_SCHED_CLS, &kbtf_sample_kfunc_set);
	if (!error)
		error = register_btf_kfunc_id_set(BPF_PROG_TYPE_TRACING, &kbtf_sample_kfunc_set);
	return error;
}
