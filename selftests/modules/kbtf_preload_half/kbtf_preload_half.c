// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An object on the list of a patched kernel that cannot be pinned whole: its
 * second file has the name of the first. Nothing of it may stay in bpffs. When the
 * parameter `whole` is set, the second one has a name of its own.
 */
#include <linux/bpf.h>
#include <linux/bpf_preload.h>
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/version.h>

/* Exported; no header declares it for modules. */
int kern_sys_bpf(int cmd, union bpf_attr *attr, unsigned int size);

static bool whole;
module_param(whole, bool, 0600);

static struct bpf_map *map;

static void drop(void)
{
	if (atomic64_dec_and_test(&map->usercnt) && map->ops->map_release_uref)
		map->ops->map_release_uref(map);
	bpf_map_put(map);
}

static int pin(struct dentry *parent, const char *name)
{
	int err;

	bpf_map_inc_with_uref(map);
	err = bpf_obj_do_pin_kernel(parent, name, map, BPF_TYPE_MAP);
	if (err)
		drop();
	return err;
}

static int preload(struct dentry *parent)
{
	return pin(parent, "first") ?: pin(parent, whole ? "second" : "first");
}

static struct bpf_preload_ops ops = {
	.preload = preload,
	.owner = THIS_MODULE,
};

static int __init half_init(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 8,
		.max_entries = 1,
		.map_flags = BPF_F_MMAPABLE,
		.map_name = "half",
	};
	int fd = kern_sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));

	if (fd < 0)
		return fd;
	map = bpf_map_get(fd);
	if (!IS_ERR(map)) {
		bpf_map_inc_with_uref(map);
		bpf_map_put(map);
	}
	close_fd(fd);
	if (IS_ERR(map))
		return PTR_ERR(map);
	if (!bpf_preload_set_ops("kbtf_preload_half", THIS_MODULE, &ops)) {
		drop();
		return -ENOENT;
	}
	return 0;
}
module_init(half_init);

static void __exit half_exit(void)
{
	bpf_preload_set_ops("kbtf_preload_half", THIS_MODULE, NULL);
	drop();
}
module_exit(half_exit);

MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("an object to preload that cannot be pinned, until it can");
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
MODULE_IMPORT_NS("BPF_INTERNAL");
#else
MODULE_IMPORT_NS(BPF_INTERNAL);
#endif
