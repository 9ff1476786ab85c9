// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Modules of `kbtf gen module` that the kernel asks for their objects when bpffs is
 * mounted. Beside this program lie
 *
 *	published.ko, rival.ko	of iterators, --publish list_maps=maps.debug,list_progs
 *	listed.ko		of events, --mode preload, built for a kernel with a list
 *	kbtf_preload_list.ko	which stands in for that kernel
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "census.h"
#include "harness.h"
#include "module.h"

#define BPFFS		"/tmp/bpffs"
#define PARAMETERS	"/sys/module/kbtf_preload_list/parameters/"
#define ROUNDS		20

static struct census before, during, after;
static struct descriptors open_before;

static bool mount_bpffs(void)
{
	mkdir(BPFFS, 0755);
	return !mount("bpf", BPFFS, "bpf", 0, NULL);
}

/* Does a file in the new bpffs tell something that has `word` in it? */
static bool tells(const char *path, const char *word)
{
	unsigned char *text;
	size_t size;
	bool found;

	text = read_whole(path, &size);
	if (!text) {
		note("%s: %s", path, strerror(errno));
		return false;
	}
	found = strstr((char *)text, word) != NULL;
	if (!found)
		note("%s: no '%s' in: %s", path, word, text);
	free(text);
	return found;
}

static int publish_round(void)
{
	REQUIRE(!load_module(beside("published.ko"), 0));
	REQUIRE(same_descriptors(&open_before));
	REQUIRE(mount_bpffs());
	REQUIRE(tells(BPFFS "/maps.debug", "publishe.rodata"));
	REQUIRE(tells(BPFFS "/list_progs", "list_maps"));
	/* The files keep the links when the module goes. */
	REQUIRE(!unload_module(beside("published.ko")));
	REQUIRE(tells(BPFFS "/list_progs", "list_maps"));
	REQUIRE(!umount(BPFFS));
	/* Nobody is there to ask any more. */
	REQUIRE(mount_bpffs());
	REQUIRE(access(BPFFS "/list_progs", F_OK) && errno == ENOENT);
	REQUIRE(!umount(BPFFS));
	return 0;
}

static int published(void)
{
	int round, result;

	take_quiet_census(&before);
	take_descriptors(&open_before);
	for (round = 0; round < ROUNDS; round++) {
		result = publish_round();
		if (result)
			return result;
	}
	REQUIRE(settled(&before));
	REQUIRE(same_descriptors(&open_before));
	return 0;
}

/* The hook is one module's only, and stays with it. */
static int rivals(void)
{
	take_quiet_census(&before);
	take_descriptors(&open_before);
	REQUIRE(!load_module(beside("published.ko"), 0));
	take_quiet_census(&during);
	REQUIRE(load_module(beside("rival.ko"), 0) == -EBUSY);
	REQUIRE(settled(&during));
	REQUIRE(same_descriptors(&open_before));
	REQUIRE(mount_bpffs());
	REQUIRE(tells(BPFFS "/maps.debug", "publishe.rodata"));
	REQUIRE(!umount(BPFFS));
	REQUIRE(!unload_module(beside("published.ko")));
	REQUIRE(!load_module(beside("rival.ko"), 0));
	REQUIRE(!unload_module(beside("rival.ko")));
	REQUIRE(settled(&before));
	return 0;
}

/* With a name on the list. */
static int load_list(const char *name)
{
	char parameters[64];
	int fd = open(beside("kbtf_preload_list.ko"), O_RDONLY | O_CLOEXEC);
	int error = 0;

	snprintf(parameters, sizeof(parameters), "listed=%s", name);
	if (fd < 0 || syscall(SYS_finit_module, fd, parameters, 0))
		error = -errno;
	if (fd >= 0)
		close(fd);
	return error;
}

static int ask(const char *parameter, int number)
{
	char path[128], text[16];
	int fd, length = snprintf(text, sizeof(text), "%d", number);
	int error = 0;

	snprintf(path, sizeof(path), PARAMETERS "%s", parameter);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, length) != length)
		error = -errno;
	if (fd >= 0)
		close(fd);
	return error;
}

/* What is not on the list is not loaded. */
static int not_listed(void)
{
	take_quiet_census(&before);
	take_descriptors(&open_before);
	REQUIRE(!load_list("others"));
	REQUIRE(!load_module(beside("listed.ko"), 0));
	take_quiet_census(&during);
	REQUIRE(during.count[PROGRAMS] == before.count[PROGRAMS]);
	REQUIRE(ask("mount", 100) == -ENOENT);
	REQUIRE(!unload_module(beside("listed.ko")));
	REQUIRE(!unload_module(beside("kbtf_preload_list.ko")));
	REQUIRE(settled(&before));
	REQUIRE(same_descriptors(&open_before));
	return 0;
}

static int listed(void)
{
	int pins, error = -ENOSPC;

	take_quiet_census(&before);
	take_descriptors(&open_before);
	REQUIRE(!load_list("listed"));
	REQUIRE(ask("mount", 100) == -ENOENT);
	REQUIRE(!load_module(beside("listed.ko"), 0));
	REQUIRE(same_descriptors(&open_before));
	take_quiet_census(&during);
	REQUIRE(during.count[PROGRAMS] > before.count[PROGRAMS]);
	/* One more each time, until there is room for all. */
	for (pins = 0; pins < 64; pins++) {
		error = ask("mount", pins);
		if (!error)
			break;
		REQUIRE(error == -ENOSPC);
	}
	printf("# pinned %d, after as many failures\n", pins);
	REQUIRE(!error);
	REQUIRE(pins == 4);
	REQUIRE(tells(PARAMETERS "pins", "link report_start\nlink report_end\nlink show_events\nmap events\n"));
	REQUIRE(settled(&during));
	/* What is pinned stays, and goes with its pins. */
	REQUIRE(!unload_module(beside("listed.ko")));
	take_quiet_census(&after);
	REQUIRE(after.count[LINKS] == during.count[LINKS]);
	REQUIRE(ask("mount", 100) == -ENOENT);
	REQUIRE(settled(&before));
	REQUIRE(!unload_module(beside("kbtf_preload_list.ko")));
	REQUIRE(same_descriptors(&open_before));
	return 0;
}

/* References that were taken for pins are all given back: nothing is left when the module goes. */
static int failed_pins(void)
{
	int pins;

	take_quiet_census(&before);
	REQUIRE(!load_list("listed"));
	for (pins = 0; pins < 4; pins++) {
		REQUIRE(!load_module(beside("listed.ko"), 0));
		REQUIRE(ask("mount", pins) == -ENOSPC);
		REQUIRE(!ask("unpin", 0));
		take_quiet_census(&after);
		REQUIRE(after.count[LINKS] == before.count[LINKS] + 3);
		REQUIRE(!unload_module(beside("listed.ko")));
		REQUIRE(settled(&before));
	}
	REQUIRE(!unload_module(beside("kbtf_preload_list.ko")));
	return 0;
}

static const struct point points[] = {
	{ "published", published },
	{ "rivals", rivals },
	{ "not_listed", not_listed },
	{ "listed", listed },
	{ "failed_pins", failed_pins },
};

int main(void)
{
	return run_points(points, sizeof(points) / sizeof(*points), NULL);
}
