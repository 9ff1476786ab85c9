// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A character device whose only purpose is to have interesting types. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "kbtf_sample.h"

#define NR_SLOTS	4

/* Same name and another content in ring.c: the two must stay apart. */
struct kbtf_sample_local {
	struct kbtf_sample_device *sample;
	loff_t position;
	long double *never;	/* a type BTF can size and nothing more */
};

struct anonymous_hub {
	struct {
		enum { HUB_IDLE, HUB_BUSY = 7 } state;
		int depth;
	};
	union {
		void (*call)(void);
		unsigned long word;
	} u;
};

static DEFINE_PER_CPU(struct kbtf_sample_stats, sample_stats);
static DEFINE_PER_CPU(struct anonymous_hub, sample_hub);
DEFINE_PER_CPU(u64, kbtf_sample_ticks);
EXPORT_PER_CPU_SYMBOL_GPL(kbtf_sample_ticks);

static struct kbtf_sample_device *the_device;
static const char *const labels[] = { "one", "two", NULL };

static int sample_open(struct kbtf_sample_device *sample)
{
	return atomic64_inc_return(&sample->opened) > 0 ? 0 : -EBUSY;
}

static void sample_close(struct kbtf_sample_device *sample)
{
	atomic64_dec(&sample->opened);
}

static ssize_t sample_transfer(struct kbtf_sample_device *sample, u8 *data, size_t size,
			       const bool write)
{
	size_t at;

	if (!write)
		return kbtf_sample_ring_pop(sample->ring, data, size);
	for (at = 0; at < size; at++)
		if (kbtf_sample_ring_push(sample->ring, data[at]))
			break;
	return at ? (ssize_t)at : -ENOSPC;
}

static enum kbtf_sample_verdict sample_judge(const struct kbtf_sample_device *sample, ...)
{
	return sample->bits.ready ? KBTF_SAMPLE_ALLOW : KBTF_SAMPLE_RETRY;
}

static int wire_filter(const struct kbtf_sample_wire *wire, size_t size, void *ctx)
{
	return size >= sizeof(*wire) && wire->version == 1 && wire->length <= size && !ctx;
}

static kbtf_sample_filter_t sample_choose(enum kbtf_sample_feature feature)
{
	return feature & KBTF_SAMPLE_FEATURE_TRACE ? wire_filter : NULL;
}

static const struct kbtf_sample_ops sample_ops = {
	.open		= sample_open,
	.close		= sample_close,
	.transfer	= sample_transfer,
	.judge		= sample_judge,
	.choose		= sample_choose,
};

static int on_event(struct kbtf_sample_device *sample, int event)
{
	sample->bits.delta = event;
	sample->bits.sequence++;
	__atomic_fetch_add(&sample->generation, 1, __ATOMIC_RELAXED);
	return sample->bits.delta;
}

int kbtf_sample_note(struct kbtf_sample_device *sample, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(sample->names[0][0], sizeof(sample->names), format, arguments);
	va_end(arguments);
	return length;
}
EXPORT_SYMBOL_GPL(kbtf_sample_note);

static int kbtf_sample_fops_open(struct inode *inode, struct file *file)
{
	struct kbtf_sample_local *local = kzalloc(sizeof(*local), GFP_KERNEL);
	int error;

	if (!local)
		return -ENOMEM;
	local->sample = the_device;
	error = the_device->ops->open(the_device);
	if (error) {
		kfree(local);
		return error;
	}
	file->private_data = local;
	return 0;
}

static int kbtf_sample_fops_release(struct inode *inode, struct file *file)
{
	struct kbtf_sample_local *local = file->private_data;

	local->sample->ops->close(local->sample);
	kfree(local);
	return 0;
}

static ssize_t kbtf_sample_fops_read(struct file *file, char __user *to, size_t size,
				     loff_t *position)
{
	struct kbtf_sample_local *local = file->private_data;
	struct kbtf_sample_device *sample = local->sample;
	u8 data[64];
	ssize_t count;

	mutex_lock(&sample->lock);
	count = sample->ops->transfer(sample, data, min(size, sizeof(data)), false);
	mutex_unlock(&sample->lock);
	if (count > 0 && copy_to_user(to, data, count))
		return -EFAULT;

	this_cpu_inc(sample_stats.reads);
	this_cpu_add(sample_stats.bytes, count);
	this_cpu_inc(kbtf_sample_ticks);
	this_cpu_write(sample_hub.depth, (int)count);
	local->position += count;
	*position = local->position;
	return count;
}

static ssize_t kbtf_sample_fops_write(struct file *file, const char __user *from, size_t size,
				      loff_t *position)
{
	struct kbtf_sample_local *local = file->private_data;
	struct kbtf_sample_device *sample = local->sample;
	u8 data[64];
	ssize_t count;

	size = min(size, sizeof(data));
	if (copy_from_user(data, from, size))
		return -EFAULT;
	mutex_lock(&sample->lock);
	count = sample->ops->transfer(sample, data, size, true);
	sample->hooks[0](sample, (int)count);
	mutex_unlock(&sample->lock);
	wake_up_interruptible(&sample->wait);
	return count;
}

static long kbtf_sample_fops_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct kbtf_sample_local *local = file->private_data;
	struct kbtf_sample_device *sample = local->sample;
	struct kbtf_sample_request request;
	long error = 0;

	if (copy_from_user(&request, (void __user *)argument, sizeof(request)))
		return -EFAULT;
	if (request.slot >= sample->nr_slots)
		return -EINVAL;
	if (sample->ops->judge(sample, request.flags) < KBTF_SAMPLE_ALLOW)
		return -EAGAIN;

	mutex_lock(&sample->lock);
	switch (command) {
	case KBTF_SAMPLE_IOC_GET:
		request.value = sample->slots[request.slot].value;
		if (copy_to_user((void __user *)argument, &request, sizeof(request)))
			error = -EFAULT;
		break;
	case KBTF_SAMPLE_IOC_SET:
		sample->slots[request.slot].value = request.value;
		break;
	default:
		error = -ENOTTY;
	}
	mutex_unlock(&sample->lock);
	return error;
}

static const struct file_operations kbtf_sample_fops = {
	.owner		= THIS_MODULE,
	.open		= kbtf_sample_fops_open,
	.release	= kbtf_sample_fops_release,
	.read		= kbtf_sample_fops_read,
	.write		= kbtf_sample_fops_write,
	.unlocked_ioctl	= kbtf_sample_fops_ioctl,
};

static int __init kbtf_sample_init(void)
{
	struct kbtf_sample_device *sample;
	unsigned int at;
	int error;

	sample = kzalloc(struct_size(sample, slots, NR_SLOTS), GFP_KERNEL);
	if (!sample)
		return -ENOMEM;
	error = -ENOMEM;
	sample->ring = kbtf_sample_ring_new(8);
	if (!sample->ring)
		goto out_free;

	mutex_init(&sample->lock);
	init_waitqueue_head(&sample->wait);
	sample->ops = &sample_ops;
	sample->stats = &sample_stats;
	sample->labels = labels;
	sample->features = KBTF_SAMPLE_FEATURE_POLL | KBTF_SAMPLE_FEATURE_TRACE;
	sample->range = KBTF_SAMPLE_NEAR;
	sample->hooks[0] = on_event;
	sample->bits.ready = 1;
	sample->nr_slots = NR_SLOTS;
	for (at = 0; at < NR_SLOTS; at++)
		INIT_LIST_HEAD(&sample->slots[at].node);
	kbtf_sample_note(sample, "%u slots", sample->nr_slots);

	sample->misc.minor = MISC_DYNAMIC_MINOR;
	sample->misc.name = KBUILD_MODNAME;
	sample->misc.fops = &kbtf_sample_fops;
	the_device = sample;
	error = misc_register(&sample->misc);
	if (error)
		goto out_ring;

	/* The device works without: a module without (good) BTF has no kfuncs. */
	error = kbtf_sample_register_kfuncs();
	if (error)
		pr_info("kfuncs are not available: %d\n", error);
	return 0;

out_ring:
	kbtf_sample_ring_free(sample->ring);
out_free:
	kfree(sample);
	return error;
}

static void __exit kbtf_sample_exit(void)
{
	misc_deregister(&the_device->misc);
	kbtf_sample_ring_free(the_device->ring);
	kfree(the_device);
}

module_init(kbtf_sample_init);
module_exit(kbtf_sample_exit);
MODULE_DESCRIPTION("Sample module for the tests of kbtf");
MODULE_LICENSE("Dual BSD/GPL");
