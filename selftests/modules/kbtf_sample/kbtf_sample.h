/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The types of a module as people write them: every shape that C offers to a
 * header and that BTF has, or has not, a way to say.
 */
#ifndef KBTF_SAMPLE_H
#define KBTF_SAMPLE_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/types.h>
#include <linux/version.h>
#include <linux/wait.h>

/* pahole knows no DW_TAG_atomic_type: leave it out to compare with pahole. */
#ifdef KBTF_SAMPLE_NO_ATOMIC
#define KBTF_SAMPLE_ATOMIC
#else
#define KBTF_SAMPLE_ATOMIC	_Atomic
#endif

#define KBTF_SAMPLE_ROWS	3
#define KBTF_SAMPLE_COLUMNS	4

/* One bit too many for an int: the compiler makes the whole enum 64 bits wide. */
enum kbtf_sample_feature {
	KBTF_SAMPLE_FEATURE_NONE	= 0,
	KBTF_SAMPLE_FEATURE_POLL	= 1ULL << 0,
	KBTF_SAMPLE_FEATURE_TRACE	= 1ULL << 33,
	KBTF_SAMPLE_FEATURE_LAST	= 1ULL << 63,
};

enum kbtf_sample_verdict {
	KBTF_SAMPLE_DENY	= -2147483647 - 1,
	KBTF_SAMPLE_RETRY	= -1,
	KBTF_SAMPLE_ALLOW	= 0,
	KBTF_SAMPLE_ALLOW_ONCE	= 0x7fffffff,
};

enum kbtf_sample_wide_signed {
	KBTF_SAMPLE_FAR_BELOW	= -(1LL << 40),
	KBTF_SAMPLE_NEAR	= -1,
	KBTF_SAMPLE_FAR_ABOVE	= 1LL << 40,
};

/* Defined in ring.c only: the other units see a forward declaration. */
struct kbtf_sample_ring;
/* Defined nowhere. */
struct kbtf_sample_secret;
union kbtf_sample_secret_union;

struct kbtf_sample_bits {
	u32	ready:1,
		mode:3,
		:0;			/* closes the unit */
	s32	delta:5;
	s32	:3;
	s32	offset:24;
	u64	sequence:40;
	u64	owner:24;
	bool	sticky:1;
	enum kbtf_sample_verdict last_verdict:32;
};

/* Packed: bit-fields straddle bytes and words. */
struct kbtf_sample_wire {
	u8	version:4;
	u16	length:9;
	u32	tag:29;
	s64	skew:37;
	__be32	address;
	u8	rest[];
} __packed;

typedef int (*kbtf_sample_filter_t)(const struct kbtf_sample_wire *wire, size_t size, void *ctx);
typedef kbtf_sample_filter_t (*kbtf_sample_chooser_t)(enum kbtf_sample_feature feature);
typedef u16 kbtf_sample_matrix_t[KBTF_SAMPLE_ROWS][KBTF_SAMPLE_COLUMNS];

struct kbtf_sample_device;

struct kbtf_sample_ops {
	int (*open)(struct kbtf_sample_device *sample);
	void (*close)(struct kbtf_sample_device *sample);
	ssize_t (*transfer)(struct kbtf_sample_device *sample, u8 *data, size_t size,
			    const bool write);
	enum kbtf_sample_verdict (*judge)(const struct kbtf_sample_device *sample, ...);
	kbtf_sample_chooser_t choose;
};

struct kbtf_sample_stats {
	u64	reads;
	u64	bytes;
	u32	histogram[8];
};

struct kbtf_sample_slot {
	struct list_head	node;
	u64			stamp;
	union {
		u8		raw[16];
		struct {
			u32	first;
			u32	second;
			union {
				s64		value;
				const char	*text;
			};
		};
		struct {
			kbtf_sample_matrix_t *matrix;
		} named;
	};
};

struct kbtf_sample_device {
	struct miscdevice		misc;
	struct mutex			lock;
	wait_queue_head_t		wait;
	atomic64_t			opened;
	const struct kbtf_sample_ops	*ops;
	struct kbtf_sample_ring		*ring;
	struct kbtf_sample_secret	*secret;
	union kbtf_sample_secret_union	*secret_union;
	struct kbtf_sample_stats __percpu *stats;
	struct kbtf_sample_bits		bits;
	enum kbtf_sample_feature	features;
	enum kbtf_sample_wide_signed	range;
	volatile unsigned long		state;
	kbtf_sample_matrix_t		matrix;
	char				names[2][3][8];
	const char *const		*labels;
	int (*hooks[2])(struct kbtf_sample_device *sample, int event);
	KBTF_SAMPLE_ATOMIC unsigned int	generation;
	struct kbtf_sample_device	*next;
	unsigned int			nr_slots;
	struct kbtf_sample_slot		slots[];
};

struct kbtf_sample_request {
	__u32	slot;
	__u32	flags;
	__u64	value;
};

#define KBTF_SAMPLE_IOC_MAGIC	0xb7
#define KBTF_SAMPLE_IOC_GET	_IOWR(KBTF_SAMPLE_IOC_MAGIC, 1, struct kbtf_sample_request)
#define KBTF_SAMPLE_IOC_SET	_IOW(KBTF_SAMPLE_IOC_MAGIC, 2, struct kbtf_sample_request)

DECLARE_PER_CPU(u64, kbtf_sample_ticks);

struct kbtf_sample_ring *kbtf_sample_ring_new(unsigned int order);
void kbtf_sample_ring_free(struct kbtf_sample_ring *ring);
int kbtf_sample_ring_push(struct kbtf_sample_ring *ring, u8 byte);
size_t kbtf_sample_ring_pop(struct kbtf_sample_ring *ring, u8 *into, size_t size);
__printf(2, 3) int kbtf_sample_note(struct kbtf_sample_device *sample, const char *format, ...);

int kbtf_sample_register_kfuncs(void);
u64 kbtf_sample_sum(u64 a, u32 b, u16 c, u8 d);
struct kbtf_sample_request *kbtf_sample_acquire(u32 slot);
void kbtf_sample_release(struct kbtf_sample_request *request);

#endif
