// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Things for BPF programs to attach to. Writing a number to the parameter
 * `trigger` calls all of them with values that follow from that number.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "kbtf_test.h"

#define CREATE_TRACE_POINTS
#include "kbtf_test_trace.h"

DEFINE_PER_CPU(struct kbtf_test_count, kbtf_test_counts);

static struct kbtf_test_item next_item = {
	.label	= "next",
	.id	= 4242,
	.colour	= 9,
	.weight	= 300,
	.state	= KBTF_TEST_BUSY,
	.place	= { .x = 11, .y = -12 },
};

static u64 last_sum;

noinline u64 kbtf_test_mix(struct kbtf_test_item *item, u64 a, s32 b, u16 c, bool d)
{
	u64 sum = item->id + a + b + c + d;

	trace_kbtf_test_moved(item, sum, (short)b);
	return sum;
}

noinline int kbtf_test_visit(struct task_struct *task, const struct kbtf_test_item *item)
{
	return task->pid + item->id;
}

static int trigger(const char *text, const struct kernel_param *parameter)
{
	struct kbtf_test_item item = {
		.label	= "first",
		.colour	= 21,
		.weight	= 500,
		.state	= KBTF_TEST_IDLE,
		.place	= { .x = -7, .y = 8 },
		.next	= &next_item,
	};
	int error = kstrtou32(text, 0, &item.id);

	if (error)
		return error;
	last_sum = kbtf_test_mix(&item, 1ULL << 40, -3, 60000, true);
	last_sum += kbtf_test_visit(current, &item);
	this_cpu_inc(kbtf_test_counts.calls);
	this_cpu_add(kbtf_test_counts.total, item.id);
	return 0;
}

static const struct kernel_param_ops trigger_ops = {
	.set	= trigger,
};
module_param_cb(trigger, &trigger_ops, NULL, 0200);
MODULE_PARM_DESC(trigger, "call everything with this number");
module_param(last_sum, ullong, 0444);
MODULE_PARM_DESC(last_sum, "what the functions returned");

static int __init kbtf_test_init(void)
{
	int error = kbtf_test_register_kfuncs();

	/* Without (good) BTF there are no kfuncs, and all else can still be seen to work. */
	if (error)
		pr_info("kfuncs are not available: %d\n", error);
	return 0;
}

static void __exit kbtf_test_exit(void)
{
}

module_init(kbtf_test_init);
module_exit(kbtf_test_exit);
MODULE_DESCRIPTION("Module for the guest tests of kbtf");
MODULE_LICENSE("Dual BSD/GPL");
