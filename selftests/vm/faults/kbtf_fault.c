// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// A module that goes wrong while it is loaded, in the way its parameter says.

#include <linux/bug.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/reboot.h>
#include <linux/spinlock.h>

static char *how = "";
module_param(how, charp, 0);
MODULE_PARM_DESC(how, "panic, oops, warn, bug, hang, flood, poweroff, refuse");

static int __init kbtf_fault_init(void)
{
	if (!strcmp(how, "panic"))
		panic("kbtf_fault: as asked");
	if (!strcmp(how, "oops"))
		*(volatile int *)8 = 1;
	if (!strcmp(how, "warn"))
		WARN(1, "kbtf_fault: as asked\n");
	if (!strcmp(how, "bug"))
		BUG();
	if (!strcmp(how, "hang")) {
		local_irq_disable();
		for (;;)
#ifdef CONFIG_X86
			/* Leaves the host's processor to others. */
			asm volatile("hlt");
#else
			cpu_relax();
#endif
	}
	if (!strcmp(how, "flood"))
		for (;;)
			pr_info("kbtf_fault: %0200d\n", 0);
	if (!strcmp(how, "poweroff"))
		kernel_power_off();
	return strcmp(how, "refuse") ? 0 : -EINVAL;
}

static void __exit kbtf_fault_exit(void)
{
}

module_init(kbtf_fault_init);
module_exit(kbtf_fault_exit);
/* Any small module that needs no device. */
MODULE_SOFTDEP("pre: dummy");
MODULE_DESCRIPTION("goes wrong as asked");
MODULE_LICENSE("Dual BSD/GPL");
