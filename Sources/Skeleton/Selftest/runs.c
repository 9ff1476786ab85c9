// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Checks that programs run, and what they report. */
#define _GNU_SOURCE
#include "checks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "activity.h"

/* Limit for reading an iterator, which may be endless. */
#define MAX_READ	(16 << 20)

/* Reads to the end and prints the first lines. */
int read_all(int fd)
{
	static char text[4096];
	ssize_t length, sum = 0;
	int shown = 0;

	while ((length = read(fd, text, sizeof(text) - 1)) > 0 && sum < MAX_READ) {
		char *line, *rest = text;

		text[length] = 0;
		while (shown < 3 && (line = strsep(&rest, "\n")))
			if (*line && ++shown)
				note("%s", line);
		sum += length;
	}
	return length < 0 ? FAILED : 0;
}

bool has_bpf_lsm(void)
{
	char names[512] = "";
	int fd;

	/* Fails if it is already mounted. */
	mount("securityfs", "/sys/kernel/security", "securityfs", 0, NULL);
	fd = open("/sys/kernel/security/lsm", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true;
	if (read(fd, names, sizeof(names) - 1) < 0)
		names[0] = 0;
	close(fd);
	return strstr(names, "bpf") != NULL;
}

static int read_iterator(const struct program *program)
{
	int link = bpf_link_get_fd_by_id(program->link_id);
	int fd = bpf_iter_create(link), result;

	if (link >= 0)
		close(link);
	REQUIRE(fd >= 0);
	result = read_all(fd);
	close(fd);
	REQUIRE(!result);
	REQUIRE(runs(program->name) > 0);
	return 0;
}

/*
 * The kernel has functions for tests, which it calls when a program attached to them is
 * tested. Returns whether this is one of them.
 */
static bool run_as_test(const struct program *program)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	int fd;

	if (strncmp(program->target, "bpf_fentry_test", strlen("bpf_fentry_test")) &&
	    strcmp(program->target, "bpf_modify_return_test"))
		return false;
	fd = bpf_prog_get_fd_by_id(program->id);
	bpf_prog_test_run_opts(fd, &options);
	if (fd >= 0)
		close(fd);
	return true;
}

int check_runs(const struct program *program, int denials)
{
	static char reason[256];
	bool known;

	if (program->link == LINK_NONE)
		return skip("the module does not attach it");
	if (program->link == LINK_ITERATOR)
		return read_iterator(program);
	known = run_as_test(program) || is_known(program->section, program->target);
	if (runs(program->name))
		return 0;
	if (program->type == BPF_PROG_TYPE_LSM && !has_bpf_lsm())
		return skip("bpf is not among the kernel's security modules (lsm=bpf)");
	if (!known)
		snprintf(reason, sizeof(reason), "this test does not reach %s: trigger it in own.c",
			 program->section);
	else if (denials)
		snprintf(reason, sizeof(reason), "%d of the test's actions were denied", denials);
	else
		REQUIRE(runs(program->name) > 0);
	return skip(reason);
}

static int take_record(void *context, void *record, size_t size)
{
	(void)record;
	(void)size;
	++*(int *)context;
	return 0;
}

int check_records(const struct map *map)
{
	struct ring_buffer *ring;
	int count = 0, fd = bpf_map_get_fd_by_id(map->id), error;

	REQUIRE(fd >= 0);
	ring = ring_buffer__new(fd, take_record, &count, NULL);
	close(fd);
	REQUIRE(ring);
	error = ring_buffer__consume(ring);
	ring_buffer__free(ring);
	REQUIRE(error >= 0);
	note("%d records", count);
	return count ? 0 : skip("no program wrote a record");
}

__attribute__((weak)) int trigger(void)
{
	return skip("no own.c with trigger()");
}
