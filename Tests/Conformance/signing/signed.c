// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Loads and attaches the signed light skeleton that bpftool makes of counter.bpf.c. */
#include <linux/module.h>
#include "counter.lskel.h"

static struct counter *skel;

static int __init signed_init(void)
{
	int error;

	skel = counter__open();
	if (!skel)
		return -ENOMEM;
	error = counter__load(skel);
	if (!error)
		error = counter__attach(skel);
	if (error < 0)
		counter__destroy(skel);
	else
		pr_info("signed skeleton: attached\n");
	return min(error, 0);
}

static void __exit signed_exit(void)
{
	counter__destroy(skel);
}

module_init(signed_init);
module_exit(signed_exit);
MODULE_IMPORT_NS("BPF_INTERNAL");
MODULE_DESCRIPTION("A signed light skeleton");
MODULE_LICENSE("GPL");
