// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Stands in for a kernel with a list of objects to preload, of which this has one.
 * Instead of pinning in bpffs it notes what it is given, and keeps the references.
 *
 * Parameters: `listed`, the name on the list; writing a number N to `mount` asks
 * the module for its objects and takes N of them, the next fails; writing to
 * `unpin` puts all. `pins` shows what was pinned: a kind and a name a line.
 */
#include <linux/bpf.h>
#include <linux/bpf_preload.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/string.h>

#define MAX_PINS 64

static DEFINE_MUTEX(lock);
static struct bpf_preload_ops *registered;
static struct {
	enum bpf_type type;
	void *raw;
	char name[64];
} pins[MAX_PINS];
static int nr_pins, room;

static char listed[64];
module_param_string(listed, listed, sizeof(listed), 0444);

bool bpf_preload_set_ops(const char *name, struct module *owner,
			 struct bpf_preload_ops *ops)
{
	if (strcmp(name, listed))
		return false;
	mutex_lock(&lock);
	registered = ops;
	mutex_unlock(&lock);
	return true;
}
EXPORT_SYMBOL_GPL(bpf_preload_set_ops);

int bpf_obj_do_pin_kernel(struct dentry *parent, const char *name, void *raw,
			  enum bpf_type type)
{
	if (nr_pins == room || nr_pins == MAX_PINS)
		return -ENOSPC;
	pins[nr_pins].type = type;
	pins[nr_pins].raw = raw;
	strscpy(pins[nr_pins].name, name, sizeof(pins[nr_pins].name));
	nr_pins++;
	return 0;
}
EXPORT_SYMBOL_GPL(bpf_obj_do_pin_kernel);

/* The kernel's own is not exported. */
void bpf_link_inc(struct bpf_link *link)
{
	atomic64_inc(&link->refcnt);
}
EXPORT_SYMBOL_GPL(bpf_link_inc);

static void put(enum bpf_type type, void *raw)
{
	struct bpf_map *map = raw;

	switch (type) {
	case BPF_TYPE_PROG:
		bpf_prog_put(raw);
		break;
	case BPF_TYPE_MAP:
		if (atomic64_dec_and_test(&map->usercnt) && map->ops->map_release_uref)
			map->ops->map_release_uref(map);
		bpf_map_put(map);
		break;
	case BPF_TYPE_LINK:
		bpf_link_put(raw);
		break;
	default:
		break;
	}
}

static void unpin_all(void)
{
	while (nr_pins) {
		nr_pins--;
		put(pins[nr_pins].type, pins[nr_pins].raw);
	}
}

static int set_mount(const char *text, const struct kernel_param *param)
{
	int err = kstrtoint(text, 10, &room);

	if (err)
		return err;
	mutex_lock(&lock);
	unpin_all();
	err = -ENOENT;
	if (registered && try_module_get(registered->owner)) {
		err = registered->preload(NULL);
		module_put(registered->owner);
	}
	mutex_unlock(&lock);
	return err;
}

static int set_unpin(const char *text, const struct kernel_param *param)
{
	mutex_lock(&lock);
	unpin_all();
	mutex_unlock(&lock);
	return 0;
}

static int get_pins(char *text, const struct kernel_param *param)
{
	static const char *const kinds[] = { "?", "prog", "map", "link" };
	int at, length = 0;

	mutex_lock(&lock);
	for (at = 0; at < nr_pins; at++)
		length += scnprintf(text + length, PAGE_SIZE - length, "%s %s\n",
				    kinds[pins[at].type], pins[at].name);
	mutex_unlock(&lock);
	return length;
}

static const struct kernel_param_ops mount_ops = { .set = set_mount };
static const struct kernel_param_ops unpin_ops = { .set = set_unpin };
static const struct kernel_param_ops pins_ops = { .get = get_pins };

module_param_cb(mount, &mount_ops, NULL, 0200);
module_param_cb(unpin, &unpin_ops, NULL, 0200);
module_param_cb(pins, &pins_ops, NULL, 0400);

static int __init list_init(void)
{
	return 0;
}
module_init(list_init);

static void __exit list_exit(void)
{
	unpin_all();
}
module_exit(list_exit);

MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("a stand-in for a kernel's list of BPF objects to preload");
