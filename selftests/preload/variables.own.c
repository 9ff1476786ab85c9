// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Variables of every section have what the object starts them with, and what the programs made of it. */
#define _GNU_SOURCE
#include "preload_test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* As in variables.bpf.c. */
struct seen {
	__u64 calls;
	__s64 last_length;
	__s32 last_result;
	__u16 mode;
	__u8 level;
};

#define READ(variable) REQUIRE(read_variable(#variable, &variable, sizeof(variable)))

static int constants(void)
{
	__u32 factor;
	__u16 mode_mask;
	__u8 level;
	char title[10];

	READ(factor);
	REQUIRE(factor == 3);
	READ(level);
	REQUIRE(level == 7);
	READ(title);
	REQUIRE(title[0] == 'f' && title[9] == 0);
	READ(mode_mask);
	REQUIRE(mode_mask == 0x0fff);
	factor = 4;
	/* What programs may only read is frozen. */
	REQUIRE(!write_variable("factor", &factor, sizeof(factor)));
	return 0;
}

static int calls(int fd)
{
	struct seen entered, left, after;
	__u64 weighed, weight, longest;
	__s64 smallest;
	__u32 over, under;
	__u8 enabled = 0;

	READ(entered);
	READ(left);
	READ(weighed);
	READ(over);
	REQUIRE(entered.calls == left.calls);
	REQUIRE(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 12));
	REQUIRE(read_variable("entered", &after, sizeof(after)));
	REQUIRE(after.calls == entered.calls + 1 && after.last_length == 12);
	REQUIRE(after.mode == FALLOC_FL_KEEP_SIZE && after.level == 7);
	REQUIRE(read_variable("left", &after, sizeof(after)));
	REQUIRE(after.calls == left.calls + 1 && after.last_result == 0 && after.level == 'f');
	READ(smallest);
	REQUIRE(smallest == 12);
	REQUIRE(read_variable("weighed", &weight, sizeof(weight)));
	REQUIRE(weight == weighed + 36);

	READ(longest);
	REQUIRE(longest == 1 << 20);
	REQUIRE(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (1 << 20) + 1));
	REQUIRE(read_variable("over", &under, sizeof(under)) && under == over + 1);

	REQUIRE(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 0) < 0 && errno == EINVAL);
	REQUIRE(read_variable("left", &after, sizeof(after)));
	REQUIRE(after.last_result == -EINVAL);

	REQUIRE(write_variable("enabled", &enabled, sizeof(enabled)));
	READ(entered);
	REQUIRE(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4096));
	REQUIRE(read_variable("entered", &after, sizeof(after)) && after.calls == entered.calls);
	return 0;
}

int trigger(void)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	char path[] = "/tmp/variables.XXXXXX";
	int fd = mkstemp(path), result;
	__u64 slept, again;

	REQUIRE(fd >= 0);
	unlink(path);
	result = constants() || calls(fd);
	close(fd);
	REQUIRE(!result);
	READ(slept);
	nanosleep(&moment, NULL);
	REQUIRE(read_variable("slept", &again, sizeof(again)) && again > slept);
	return 0;
}
