// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One kernel function for each way in which BTF describes them since Linux 7.3. */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/module.h>

struct kfuncs_thing {
	int count;
	long rest;
};

__bpf_kfunc_start_defs();

__bpf_kfunc int kfuncs_plain(struct kfuncs_thing *thing, int count)
{
	return thing->count + count;
}

__bpf_kfunc u64 kfuncs_fast(void)
{
	return 42;
}

__bpf_kfunc void *kfuncs_arena(void *p__map, void *addr__ign, u32 count)
{
	return addr__ign;
}

__bpf_kfunc int kfuncs_suffix(const struct kfuncs_thing *one__arena, u32 *two__arena__nullable)
{
	return one__arena->count + (two__arena__nullable ? 1 : 0);
}

__bpf_kfunc int kfuncs_implicit(int count, struct kfuncs_thing *thing__arena, struct bpf_prog_aux *aux)
{
	return aux ? count : thing__arena->count;
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(kfuncs_ids)
BTF_ID_FLAGS(func, kfuncs_plain, KF_RCU)
BTF_ID_FLAGS(func, kfuncs_fast, KF_FASTCALL)
BTF_ID_FLAGS(func, kfuncs_arena, KF_ARENA_RET | KF_ARENA_ARG2)
BTF_ID_FLAGS(func, kfuncs_suffix)
BTF_ID_FLAGS(func, kfuncs_implicit, KF_IMPLICIT_ARGS)
BTF_KFUNCS_END(kfuncs_ids)

/* The same with one of them again. */
BTF_KFUNCS_START(kfuncs_more_ids)
BTF_ID_FLAGS(func, kfuncs_fast, KF_FASTCALL)
BTF_KFUNCS_END(kfuncs_more_ids)

static const struct btf_kfunc_id_set kfuncs_set = { .owner = THIS_MODULE, .set = &kfuncs_ids };
static const struct btf_kfunc_id_set kfuncs_more_set = { .owner = THIS_MODULE, .set = &kfuncs_more_ids };

static int __init kfuncs_init(void)
{
	int error = register_btf_kfunc_id_set(BPF_PROG_TYPE_SYSCALL, &kfuncs_set);

	return error ?: register_btf_kfunc_id_set(BPF_PROG_TYPE_TRACING, &kfuncs_more_set);
}

static void __exit kfuncs_exit(void)
{
}

module_init(kfuncs_init);
module_exit(kfuncs_exit);
MODULE_DESCRIPTION("Kernel functions that BTF describes");
MODULE_LICENSE("Dual BSD/GPL");
