// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* How long preloaded objects stay, and what is left of those that do not. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kept.h"

#define MOUNTS	100

int rounds(void)
{
	static struct census before;
	static struct descriptors open_before;
	int lines, round, refs[nr_objects];
	size_t at;

	REQUIRE(mount_bpffs("/round") && !umount("/round"));
	take_quiet_census(&before);
	take_descriptors(&open_before);
	lines = count(kernel_log(), "bpf_preload: ");
	for (at = 0; at < nr_objects; at++)
		refs[at] = references(objects[at].name);
	for (round = 0; round < MOUNTS; round++) {
		REQUIRE(mount_bpffs("/round"));
		if (round % 25 == 0)
			REQUIRE(!names_in("/round"));
		REQUIRE(!umount("/round"));
	}
	REQUIRE(settled(&before));
	REQUIRE(same_descriptors(&open_before));
	REQUIRE(before.count[LINKS] == at_start.count[LINKS]);
	for (at = 0; at < nr_objects; at++)
		REQUIRE(references(objects[at].name) == refs[at]);
	REQUIRE(count(kernel_log(), "bpf_preload: ") == lines);
	return 0;
}

/* The kernel keeps the modules of what it keeps, with or without an instance that somebody sees. */
int removal(void)
{
	size_t at;

	for (at = 0; at < nr_objects; at++) {
		REQUIRE(references(objects[at].name) == 1);
		REQUIRE(syscall(SYS_delete_module, objects[at].name, O_NONBLOCK));
		REQUIRE(errno == EAGAIN || errno == EBUSY);
	}
	REQUIRE(!umount("/bpf"));
	for (at = 0; at < nr_objects; at++)
		REQUIRE(syscall(SYS_delete_module, objects[at].name, O_NONBLOCK));
	REQUIRE(mount_bpffs("/bpf"));
	REQUIRE(!names_in("/bpf"));
	return 0;
}

/* It was refused a file. Its map goes with it: no reference is left of files that are not there. */
int refused_pin(void)
{
	static struct census before, after;

	take_quiet_census(&before);
	REQUIRE(references("kbtf_preload_half") == 0);
	REQUIRE(!unload_module("kbtf_preload_half"));
	take_quiet_census(&after);
	REQUIRE(after.count[MAPS] == before.count[MAPS] - 1);
	REQUIRE(after.count[LINKS] == before.count[LINKS]);
	return 0;
}

/* A module that was not there at boot, as if on the root file system: pinned, and kept, from now on. */
int late(void)
{
	REQUIRE(!rename("/later/late.ko", "/modules/late.ko"));
	REQUIRE(mount_bpffs("/round"));
	REQUIRE(!access("/round/late", F_OK));
	REQUIRE(count(kernel_log(), "bpf_preload: late: kept") == 1);
	REQUIRE(!umount("/round"));
	REQUIRE(references("late") == 1);
	REQUIRE(syscall(SYS_delete_module, "late", O_NONBLOCK));
	return 0;
}

/* An object that could not be pinned, nor kept, until now: nothing of the earlier tries is in its way. */
int second_try(void)
{
	int fd;

	REQUIRE(mount_bpffs("/round"));
	REQUIRE(access("/round/kbtf_preload_half", F_OK) && errno == ENOENT);
	REQUIRE(!umount("/round"));
	fd = open("/sys/module/kbtf_preload_half/parameters/whole", O_WRONLY | O_CLOEXEC);
	REQUIRE(fd >= 0 && write(fd, "1", 1) == 1);
	close(fd);
	REQUIRE(mount_bpffs("/round"));
	REQUIRE(count_names("/round/kbtf_preload_half", NULL) == 2);
	REQUIRE(count(kernel_log(), "bpf_preload: kbtf_preload_half: kept") == 1);
	REQUIRE(!umount("/round"));
	REQUIRE(references("kbtf_preload_half") == 1);
	return 0;
}
