// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// A module with a kernel function that BPF programs may call. It does not load if registration fails.

#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/module.h>

struct kbtf_tally {
	struct task_struct *task;
	int count;
};

int kbtf_tally_count(struct kbtf_tally *tally);

noinline int kbtf_tally_count(struct kbtf_tally *tally)
{
	return tally->count;
}

BTF_SET8_START(kbtf_kfunc_ids)
BTF_ID_FLAGS(func, kbtf_tally_count)
BTF_SET8_END(kbtf_kfunc_ids)

static const struct btf_kfunc_id_set kbtf_kfunc_set = {
	.owner = THIS_MODULE,
	.set = &kbtf_kfunc_ids,
};

static int __init kbtf_kfunc_init(void)
{
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_SYSCALL, &kbtf_kfunc_set);
}

static void __exit kbtf_kfunc_exit(void)
{
}

module_init(kbtf_kfunc_init);
module_exit(kbtf_kfunc_exit);
MODULE_LICENSE("GPL");
