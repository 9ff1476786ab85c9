// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A byte ring: the unit in which the forward declaration of the others ends. */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "kbtf_sample.h"

/* Same name and another content in main.c: the two must stay apart. */
struct kbtf_sample_local {
	unsigned int head;
	unsigned int tail;
};

struct kbtf_sample_ring {
	spinlock_t			lock;
	unsigned int			mask;
	struct kbtf_sample_local	at;
	u8				*data;
};

struct kbtf_sample_ring *kbtf_sample_ring_new(unsigned int order)
{
	struct kbtf_sample_ring *ring = kzalloc(sizeof(*ring), GFP_KERNEL);

	if (!ring)
		return NULL;
	ring->data = kzalloc(1UL << order, GFP_KERNEL);
	if (!ring->data) {
		kfree(ring);
		return NULL;
	}
	spin_lock_init(&ring->lock);
	ring->mask = (1U << order) - 1;
	return ring;
}

void kbtf_sample_ring_free(struct kbtf_sample_ring *ring)
{
	if (!ring)
		return;
	kfree(ring->data);
	kfree(ring);
}

static bool ring_full(const struct kbtf_sample_local *at, unsigned int mask)
{
	return at->head - at->tail > mask;
}

int kbtf_sample_ring_push(struct kbtf_sample_ring *ring, u8 byte)
{
	unsigned long flags;
	int error = -ENOSPC;

	spin_lock_irqsave(&ring->lock, flags);
	if (!ring_full(&ring->at, ring->mask)) {
		ring->data[ring->at.head++ & ring->mask] = byte;
		error = 0;
	}
	spin_unlock_irqrestore(&ring->lock, flags);
	return error;
}
EXPORT_SYMBOL_GPL(kbtf_sample_ring_push);

size_t kbtf_sample_ring_pop(struct kbtf_sample_ring *ring, u8 *into, size_t size)
{
	unsigned long flags;
	size_t count = 0;

	spin_lock_irqsave(&ring->lock, flags);
	while (count < size && ring->at.tail != ring->at.head)
		into[count++] = ring->data[ring->at.tail++ & ring->mask];
	spin_unlock_irqrestore(&ring->lock, flags);
	return count;
}
EXPORT_SYMBOL_GPL(kbtf_sample_ring_pop);
