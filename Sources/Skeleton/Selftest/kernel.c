// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The kernel's programs, maps and links, and those the module should have. */
#include "checks.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

/* Programs, maps and links are freed some time after their last reference is dropped. */
#define SETTLE_TRIES	3000
#define SETTLE_PAUSE_MS	10

/* The objects of each sort */

static const char *const sort_names[NR_SORTS] = { "programs", "maps", "links" };

struct census before, during;

void take_census(struct census *census)
{
	static int (*const next[NR_SORTS])(__u32, __u32 *) = {
		bpf_prog_get_next_id, bpf_map_get_next_id, bpf_link_get_next_id,
	};
	int sort;

	for (sort = 0; sort < NR_SORTS; sort++) {
		__u32 id = 0;

		census->count[sort] = 0;
		while (census->count[sort] < MAX_IDS && !next[sort](id, &id))
			census->ids[sort][census->count[sort]++] = id;
	}
}

bool has(const struct census *census, enum sort sort, __u32 id)
{
	size_t at;

	for (at = 0; at < census->count[sort]; at++)
		if (census->ids[sort][at] == id)
			return true;
	return false;
}

/* The number of objects in one that are not in the other. */
size_t newer(const struct census *one, const struct census *other, enum sort sort)
{
	size_t at, count = 0;

	for (at = 0; at < one->count[sort]; at++)
		count += !has(other, sort, one->ids[sort][at]);
	return count;
}

/* Waits for the expected number of new ones, because objects are not freed immediately. */
bool settled(struct census *now, const size_t *expected)
{
	const struct timespec pause = { .tv_nsec = SETTLE_PAUSE_MS * 1000000L };
	int at, sort;

	for (at = 0; at < SETTLE_TRIES; at++) {
		take_census(now);
		for (sort = 0; sort < NR_SORTS; sort++)
			if (newer(now, &before, sort) != expected[sort])
				break;
		if (sort == NR_SORTS)
			return true;
		nanosleep(&pause, NULL);
	}
	for (sort = 0; sort < NR_SORTS; sort++)
		if (newer(now, &before, sort) != expected[sort])
			note("%s: %zu expected, found %zu", sort_names[sort], expected[sort],
			     newer(now, &before, sort));
	return false;
}

void expect(size_t *expected)
{
	size_t at;

	expected[PROGRAMS] = under_test->nr_programs;
	expected[MAPS] = under_test->nr_maps;
	expected[LINKS] = 0;
	for (at = 0; at < under_test->nr_programs; at++)
		expected[LINKS] += under_test->programs[at].link != LINK_NONE;
}

/* Descriptors of this process */

int count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	if (!folder)
		return -1;
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

/* By name */

static struct program *find_program(const char *name)
{
	size_t at;

	for (at = 0; at < under_test->nr_programs; at++)
		if (!strcmp(under_test->programs[at].name, name))
			return &under_test->programs[at];
	return NULL;
}

static struct map *find_map(const char *name)
{
	size_t at;

	for (at = 0; at < under_test->nr_maps; at++)
		if (!strncmp(under_test->maps[at].name, name, SHOWN))
			return &under_test->maps[at];
	return NULL;
}

int program_fd(const char *name)
{
	struct program *program = find_program(name);

	return program && program->id ? bpf_prog_get_fd_by_id(program->id) : -ENOENT;
}

int link_fd(const char *name)
{
	struct program *program = find_program(name);

	return program && program->link_id ? bpf_link_get_fd_by_id(program->link_id) : -ENOENT;
}

int map_fd(const char *name)
{
	struct map *map = find_map(name);

	return map && map->id ? bpf_map_get_fd_by_id(map->id) : -ENOENT;
}

bool program_info(__u32 id, struct bpf_prog_info *info)
{
	__u32 size = sizeof(*info);
	int fd = bpf_prog_get_fd_by_id(id), error;

	memset(info, 0, sizeof(*info));
	if (fd < 0)
		return false;
	error = bpf_obj_get_info_by_fd(fd, info, &size);
	close(fd);
	return !error;
}

unsigned long long runs(const char *name)
{
	struct program *program = find_program(name);
	struct bpf_prog_info info;

	return program && program->id && program_info(program->id, &info) ? info.run_cnt : 0;
}

/* All bytes of a map with one element. */
char *whole_map(const struct map *map, int fd)
{
	char *bytes = calloc(1, (map->value_size + 7) & ~7u);
	__u32 zero = 0;

	if (bytes && !bpf_map_lookup_elem(fd, &zero, bytes))
		return bytes;
	free(bytes);
	return NULL;
}

/* The offset of a variable in a data section, from the map's BTF. */
static bool find_variable(int fd, const char *name, size_t size, size_t *offset)
{
	struct bpf_map_info info = {};
	const struct btf_type *section;
	__u32 length = sizeof(info);
	struct btf *btf;
	bool found = false;
	int at;

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return false;
	btf = btf__load_from_kernel_by_id(info.btf_id);
	section = btf ? btf__type_by_id(btf, info.btf_value_type_id) : NULL;
	for (at = 0; section && btf_is_datasec(section) && at < btf_vlen(section) && !found; at++) {
		const struct btf_var_secinfo *place = btf_var_secinfos(section) + at;
		const struct btf_type *variable = btf__type_by_id(btf, place->type);

		*offset = place->offset;
		found = place->size == size && place->offset <= info.value_size &&
			size <= info.value_size - place->offset &&
			!strcmp(btf__name_by_offset(btf, variable->name_off), name);
	}
	btf__free(btf);
	return found;
}

static bool access_variable(const char *name, void *bytes, size_t size, bool write)
{
	__u32 zero = 0;
	size_t at;

	for (at = 0; at < under_test->nr_maps; at++) {
		const struct map *map = &under_test->maps[at];
		size_t offset;
		bool done = false;
		char *whole;
		int fd;

		if (!map->internal || !map->id)
			continue;
		fd = bpf_map_get_fd_by_id(map->id);
		if (fd < 0 || !find_variable(fd, name, size, &offset)) {
			if (fd >= 0)
				close(fd);
			continue;
		}
		whole = whole_map(map, fd);
		if (whole && write) {
			memcpy(whole + offset, bytes, size);
			done = !bpf_map_update_elem(fd, &zero, whole, 0);
		} else if (whole) {
			memcpy(bytes, whole + offset, size);
			done = true;
		}
		free(whole);
		close(fd);
		return done;
	}
	return false;
}

bool read_variable(const char *name, void *bytes, size_t size)
{
	return access_variable(name, bytes, size, false);
}

bool write_variable(const char *name, const void *bytes, size_t size)
{
	return access_variable(name, (void *)bytes, size, true);
}
