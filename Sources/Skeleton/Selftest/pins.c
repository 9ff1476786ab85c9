// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the kernel pins by itself in a bpffs that is mounted while the module is loaded. */
#define _GNU_SOURCE
#include "checks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <bpf/bpf.h>

bool kept;

bool has_preload_list(void)
{
	FILE *symbols = fopen("/proc/kallsyms", "re");
	char line[512];
	bool found = false;

	while (symbols && !found && fgets(line, sizeof(line), symbols))
		found = strstr(line, " bpf_preload_set_ops") != NULL;
	if (symbols)
		fclose(symbols);
	return found;
}

/* The kernel's own object has had its files in the root from before there was a list. */
static bool is_in_root(void)
{
	return !strcmp(under_test->object_name, "iterators_bpf");
}

static const char *file_of(const struct program *program)
{
	if (is_in_root() && !strcmp(program->name, "dump_bpf_map"))
		return "maps.debug";
	if (is_in_root() && !strcmp(program->name, "dump_bpf_prog"))
		return "progs.debug";
	return program->name;
}

/* The id of what is pinned there, 0 if it is nothing of that sort. */
static __u32 pinned_id(const char *folder, const char *name, enum sort sort)
{
	union {
		struct bpf_prog_info program;
		struct bpf_map_info map;
		struct bpf_link_info link;
	} info = {};
	static const __u32 sizes[] = {
		[PROGRAMS] = sizeof(info.program),
		[MAPS] = sizeof(info.map),
		[LINKS] = sizeof(info.link),
	};
	__u32 size = sizes[sort];
	char path[512];
	int fd, error;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = bpf_obj_get(path);
	if (fd < 0) {
		note("%s: %s", name, strerror(errno));
		return 0;
	}
	error = bpf_obj_get_info_by_fd(fd, &info, &size);
	close(fd);
	if (error) {
		note("%s: %s", name, strerror(errno));
		return 0;
	}
	switch (sort) {
	case PROGRAMS:
		return info.program.id;
	case MAPS:
		return info.map.id;
	default:
		return info.link.id;
	}
}

static size_t count_files(const char *folder)
{
	DIR *files = opendir(folder);
	struct dirent *file;
	size_t count = 0;

	while (files && (file = readdir(files)))
		count += file->d_name[0] != '.';
	if (files)
		closedir(files);
	return count;
}

/* All of the module's and nothing else, in a directory of its name. */
static int pins_in(const char *root)
{
	char folder[256];
	size_t at, count = 0;
	int bad = 0;

	snprintf(folder, sizeof(folder), "%s/%s", root, is_in_root() ? "." : under_test->object_name);
	for (at = 0; at < under_test->nr_programs; at++) {
		const struct program *program = &under_test->programs[at];
		bool is_link = program->link != LINK_NONE;

		count++;
		if (pinned_id(folder, file_of(program), is_link ? LINKS : PROGRAMS) ==
		    (is_link ? program->link_id : program->id))
			continue;
		note("%s: not the module's", file_of(program));
		bad = FAILED;
	}
	for (at = 0; at < under_test->nr_maps; at++) {
		const struct map *map = &under_test->maps[at];

		if (map->internal)
			continue;
		count++;
		if (pinned_id(folder, map->name, MAPS) == map->id)
			continue;
		note("%s: not the module's", map->name);
		bad = FAILED;
	}
	if (!is_in_root() && count_files(folder) != count) {
		note("%zu files for %zu links, programs and maps", count_files(folder), count);
		bad = FAILED;
	}
	return bad;
}

static int published_in(const char *root)
{
	char path[256];
	size_t at;
	int bad = 0;

	for (at = 0; at < under_test->nr_published; at++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%s", root, under_test->published[at]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT && has_preload_list())
			return skip("the kernel's preload list does not contain bpf_preload");
		if (fd < 0 || read_all(fd)) {
			note("%s in bpffs: %s", under_test->published[at], strerror(errno));
			bad = FAILED;
		}
		if (fd >= 0)
			close(fd);
	}
	kept = kept || has_preload_list();
	return bad;
}

static int in_new_instance(int (*check)(const char *root))
{
	char root[] = "/tmp/bpffs.XXXXXX";
	int result;

	REQUIRE(mkdtemp(root));
	REQUIRE(!mount("bpf", root, "bpf", 0, NULL));
	result = check(root);
	REQUIRE(!umount(root));
	rmdir(root);
	return result;
}

/* Two at once: the second must not take anything from the first. */
static int pins_in_two(const char *root)
{
	int bad = in_new_instance(pins_in);

	return pins_in(root) ? FAILED : bad;
}

/* One that was mounted before the object was there has nothing of it; others have all. */
static int pins_where_mounted(void)
{
	FILE *mounts = fopen("/proc/self/mounts", "re");
	char line[1024], root[256], type[64], path[512];
	int bad = 0;

	REQUIRE(mounts);
	while (fgets(line, sizeof(line), mounts)) {
		if (sscanf(line, "%*s %255s %63s", root, type) != 2 || strcmp(type, "bpf"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", root,
			 is_in_root() ? "maps.debug" : under_test->object_name);
		if (access(path, F_OK))
			note("%s: mounted before the object was kept", root);
		else if (pins_in(root))
			bad = FAILED;
	}
	fclose(mounts);
	return bad;
}

int check_pinned(void)
{
	int bad;

	kept = true;
	bad = in_new_instance(pins_in_two);
	return pins_where_mounted() ? FAILED : bad;
}

int check_published(void)
{
	/* On a list kernel they are where all else of this module is. */
	if (under_test->mode == MODE_PRELOAD && has_preload_list())
		return skip("the kernel has a preload list");
	return in_new_instance(published_in);
}
