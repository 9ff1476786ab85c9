// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// A module with per-CPU data.

#include <linux/module.h>
#include <linux/percpu.h>

struct kbtf_events {
	u64 count;
	u32 errors;
};

static DEFINE_PER_CPU(struct kbtf_events, kbtf_events);

static int __init kbtf_percpu_init(void)
{
	this_cpu_inc(kbtf_events.count);
	return 0;
}

static void __exit kbtf_percpu_exit(void)
{
}

module_init(kbtf_percpu_init);
module_exit(kbtf_percpu_exit);
MODULE_LICENSE("GPL");
