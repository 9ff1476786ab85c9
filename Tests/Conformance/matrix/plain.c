// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// A module that does nothing, built under several names.

#include <linux/module.h>

struct kbtf_plain {
	struct module *owner;
	unsigned long flags;
};

static struct kbtf_plain kbtf_plain = { .owner = THIS_MODULE };

static int __init kbtf_plain_init(void)
{
	kbtf_plain.flags = 1;
	return 0;
}

static void __exit kbtf_plain_exit(void)
{
}

module_init(kbtf_plain_init);
module_exit(kbtf_plain_exit);
MODULE_LICENSE("GPL");
