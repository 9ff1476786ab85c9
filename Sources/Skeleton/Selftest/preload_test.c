// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define _GNU_SOURCE
#include "preload_test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "activity.h"

#define SHOWN		(BPF_OBJ_NAME_LEN - 1)
#define MAX_IDS		4096
/* Programs, maps and links are freed some time after the last reference to them has gone. */
#define SETTLE_TRIES	500
#define SETTLE_PAUSE_MS	10
/* What is read of an iterator, which may have no end. */
#define MAX_READ	(16 << 20)
#define LOG_SIZE	(1 << 20)

static struct module *module;
static const char *custom_btf;
static int log_level;
static int denials;
static const char *skip_reason;

/* KTAP */

static int nr_points;

__attribute__((format(printf, 1, 2))) void note(const char *format, ...)
{
	va_list arguments;

	printf("# ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

int failed(const char *file, int line, const char *condition)
{
	int error = errno;
	const char *name = strrchr(file, '/');

	note("%s:%d: not true: %s (errno %d, %s)", name ? name + 1 : file, line, condition, error,
	     strerror(error));
	return FAILED;
}

int skip(const char *reason)
{
	skip_reason = reason;
	return 0;
}

static int finish(const char *what, const char *name, int result)
{
	nr_points++;
	if (result)
		printf("not ok %d %s%s%s\n", nr_points, what, *name ? " " : "", name);
	else if (skip_reason)
		printf("ok %d %s%s%s # SKIP %s\n", nr_points, what, *name ? " " : "", name, skip_reason);
	else
		printf("ok %d %s%s%s\n", nr_points, what, *name ? " " : "", name);
	fflush(stdout);
	skip_reason = NULL;
	return result;
}

static void print_lines(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		if (*line)
			note("%s", line);
}

/* Files beside the program */

static const char *beside(const char *name)
{
	static char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 256);
	char *slash;

	if (length < 0)
		return name;
	path[length] = 0;
	slash = strrchr(path, '/');
	snprintf(slash + 1, 255, "%s", name);
	return path;
}

/* What is there of each sort */

enum sort { PROGRAMS, MAPS, LINKS, NR_SORTS };

static const char *const sort_names[NR_SORTS] = { "programs", "maps", "links" };

struct census {
	__u32 ids[NR_SORTS][MAX_IDS];
	size_t count[NR_SORTS];
};

static struct census before, during;

static void take_census(struct census *census)
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

static bool has(const struct census *census, enum sort sort, __u32 id)
{
	size_t at;

	for (at = 0; at < census->count[sort]; at++)
		if (census->ids[sort][at] == id)
			return true;
	return false;
}

/* How many there are in one that are not in the other. */
static size_t newer(const struct census *one, const struct census *other, enum sort sort)
{
	size_t at, count = 0;

	for (at = 0; at < one->count[sort]; at++)
		count += !has(other, sort, one->ids[sort][at]);
	return count;
}

/* Waits until there are as many new ones as expected, for what goes is not gone at once. */
static bool settled(struct census *now, const size_t *expected)
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

static void expect(size_t *expected)
{
	size_t at;

	expected[PROGRAMS] = module->nr_programs;
	expected[MAPS] = module->nr_maps;
	expected[LINKS] = 0;
	for (at = 0; at < module->nr_programs; at++)
		expected[LINKS] += module->programs[at].link != LINK_NONE;
}

/* Descriptors of this process */

static int count_descriptors(void)
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

	for (at = 0; at < module->nr_programs; at++)
		if (!strcmp(module->programs[at].name, name))
			return &module->programs[at];
	return NULL;
}

static struct map *find_map(const char *name)
{
	size_t at;

	for (at = 0; at < module->nr_maps; at++)
		if (!strncmp(module->maps[at].name, name, SHOWN))
			return &module->maps[at];
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

static bool program_info(__u32 id, struct bpf_prog_info *info)
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
static char *whole_map(const struct map *map, int fd)
{
	char *bytes = calloc(1, (map->value_size + 7) & ~7u);
	__u32 zero = 0;

	if (bytes && !bpf_map_lookup_elem(fd, &zero, bytes))
		return bytes;
	free(bytes);
	return NULL;
}

/* Where a variable lies in a section of data, from the BTF that came with the map. */
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

	for (at = 0; at < module->nr_maps; at++) {
		const struct map *map = &module->maps[at];
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

/* The object beside, through libbpf */

static int print_message(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char *text = NULL;

	/* libbpf shows the log itself where it finds fault. */
	if (level == LIBBPF_DEBUG && log_level < 2)
		return 0;
	if (vasprintf(&text, format, arguments) >= 0)
		print_lines(text);
	free(text);
	return 0;
}

static struct bpf_object *open_object(void)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = module->object_name,
		    .btf_custom_path = custom_btf);

	return module->object ? bpf_object__open_file(beside(module->object), &options) : NULL;
}

/* Shows the log of each program, if it was asked for; libbpf shows it of one that fails. */
static int object_loads(void)
{
	struct bpf_object *object;
	struct bpf_program *program;
	int error;

	if (!module->object)
		return skip("the module was generated without its object");
	object = open_object();
	REQUIRE(object);
	bpf_object__for_each_program(program, object) {
		char *log = log_level ? calloc(1, LOG_SIZE) : NULL;

		if (log && !bpf_program__set_log_buf(program, log, LOG_SIZE))
			bpf_program__set_log_level(program, log_level);
	}
	error = bpf_object__load(object);
	bpf_object__for_each_program(program, object) {
		size_t size;
		char *log = (char *)bpf_program__log_buf(program, &size);

		if (!log)
			continue;
		note("%s (%s):", bpf_program__name(program), bpf_program__section_name(program));
		print_lines(log);
		free(log);
	}
	bpf_object__close(object);
	errno = -error;
	REQUIRE(!error);
	return 0;
}

/* Points */

static int load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error = 0;

	if (fd < 0 || syscall(__NR_finit_module, fd, "", 0))
		error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return error;
}

static bool has_preload_list(void)
{
	FILE *symbols = fopen("/proc/kallsyms", "re");
	char line[512];
	bool found = false;

	while (symbols && !found && fgets(line, sizeof(line), symbols))
		found = strstr(line, " bpf_preload_set_ops\n") != NULL;
	if (symbols)
		fclose(symbols);
	return found;
}

static bool idle;

static int loads(void)
{
	int error = load(beside(module->file));

	if (error && module->object && !log_level) {
		if (!object_loads())
			note("through libbpf the object loads");
		skip_reason = NULL;
	}
	errno = error;
	REQUIRE(!error);
	take_census(&during);
	idle = module->mode == MODE_PRELOAD && !newer(&during, &before, PROGRAMS) && has_preload_list();
	return idle ? skip("the kernel's preload list does not have it") : 0;
}

static bool same_program(const struct program *program, const struct bpf_prog_info *info)
{
	return info->type == program->type && !strncmp(info->name, program->name, SHOWN);
}

static int check_programs(void)
{
	size_t at, expected[NR_SORTS];
	int bad = 0;

	expect(expected);
	/* The loader's own program and map have to go first. */
	bad = !settled(&during, expected);
	for (at = 0; at < during.count[PROGRAMS]; at++) {
		__u32 id = during.ids[PROGRAMS][at];
		struct bpf_prog_info info;
		size_t other;

		if (has(&before, PROGRAMS, id) || !program_info(id, &info))
			continue;
		for (other = 0; other < module->nr_programs; other++) {
			struct program *program = &module->programs[other];

			if (!program->id && same_program(program, &info)) {
				program->id = id;
				break;
			}
		}
		if (other == module->nr_programs) {
			note("program %u: %s, type %u: not of this module", id, info.name, info.type);
			bad = FAILED;
		}
	}
	for (at = 0; at < module->nr_programs; at++) {
		if (module->programs[at].id)
			continue;
		note("program %s of type %u: not there", module->programs[at].name,
		     module->programs[at].type);
		bad = FAILED;
	}
	return bad ? FAILED : 0;
}

static bool same_map(const struct map *map, const struct bpf_map_info *info)
{
	return !map->id && info->type == map->type && info->key_size == map->key_size &&
	       info->value_size == map->value_size &&
	       /* 0: as many as there are processors, for some types. */
	       (!map->max_entries || info->max_entries == map->max_entries) &&
	       info->map_flags == map->flags && !strncmp(info->name, map->name, SHOWN);
}

static int check_maps(void)
{
	size_t at, other;
	int bad = 0;

	for (at = 0; at < during.count[MAPS]; at++) {
		__u32 id = during.ids[MAPS][at], size = sizeof(struct bpf_map_info);
		struct bpf_map_info info = {};
		int fd;

		if (has(&before, MAPS, id))
			continue;
		fd = bpf_map_get_fd_by_id(id);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size)) {
			note("map %u: %s", id, strerror(errno));
			bad = FAILED;
		}
		if (fd >= 0)
			close(fd);
		for (other = 0; other < module->nr_maps; other++)
			if (same_map(&module->maps[other], &info))
				break;
		if (other < module->nr_maps) {
			module->maps[other].id = id;
			continue;
		}
		note("map %u: %s, type %u, key %u, value %u, %u entries, flags %#x: not of this module",
		     id, info.name, info.type, info.key_size, info.value_size, info.max_entries,
		     info.map_flags);
		bad = FAILED;
	}
	for (at = 0; at < module->nr_maps; at++) {
		if (module->maps[at].id)
			continue;
		note("map %s of type %u: not there", module->maps[at].name, module->maps[at].type);
		bad = FAILED;
	}
	return bad;
}

/* What tells that a link is of the program's kind, and leads where it should. */
static bool same_link(const struct program *program, const struct bpf_link_info *info,
		      const char *name, const struct btf *kernel)
{
	static const char *const prefixes[] = { "", "bpf_lsm_", "bpf_iter_", "btf_trace_" };
	const struct btf_type *type;
	const char *found;
	size_t at;

	switch (program->link) {
	case LINK_RAW_TRACEPOINT:
		return info->type == BPF_LINK_TYPE_RAW_TRACEPOINT && !strcmp(name, program->target);
	case LINK_ITERATOR:
		return info->type == BPF_LINK_TYPE_ITER && !strcmp(name, program->target);
	case LINK_TRACING:
		if (info->type != BPF_LINK_TYPE_TRACING ||
		    info->tracing.attach_type != program->attach_type)
			return false;
		if (!*program->target)
			return true;
		/* A target in a module has the BTF of that, which is not read here. */
		type = kernel ? btf__type_by_id(kernel, info->tracing.target_btf_id) : NULL;
		found = type ? btf__name_by_offset(kernel, type->name_off) : NULL;
		for (at = 0; found && at < sizeof(prefixes) / sizeof(*prefixes); at++) {
			size_t length = strlen(prefixes[at]);

			if (!strncmp(found, prefixes[at], length) &&
			    !strcmp(found + length, program->target))
				return true;
		}
		if (found)
			note("%s leads to %s", program->name, found);
		return !found || strchr(program->target, ':');
	case LINK_NONE:
		break;
	}
	return false;
}

static int check_links(void)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	int bad = 0;
	size_t at, other;

	for (at = 0; at < during.count[LINKS]; at++) {
		__u32 id = during.ids[LINKS][at], size = sizeof(struct bpf_link_info);
		struct bpf_link_info info = {};
		char name[128] = "";
		int fd;

		if (has(&before, LINKS, id))
			continue;
		fd = bpf_link_get_fd_by_id(id);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size)) {
			note("link %u: %s", id, strerror(errno));
			bad = FAILED;
			continue;
		}
		if (info.type == BPF_LINK_TYPE_RAW_TRACEPOINT || info.type == BPF_LINK_TYPE_ITER) {
			__u32 type = info.type;

			memset(&info, 0, sizeof(info));
			if (type == BPF_LINK_TYPE_ITER) {
				info.iter.target_name = (unsigned long)name;
				info.iter.target_name_len = sizeof(name);
			} else {
				info.raw_tracepoint.tp_name = (unsigned long)name;
				info.raw_tracepoint.tp_name_len = sizeof(name);
			}
			size = sizeof(info);
			bpf_obj_get_info_by_fd(fd, &info, &size);
		}
		close(fd);
		for (other = 0; other < module->nr_programs; other++) {
			struct program *program = &module->programs[other];

			if (program->id != info.prog_id || program->link_id)
				continue;
			if (same_link(program, &info, name, kernel))
				program->link_id = id;
			break;
		}
		if (other < module->nr_programs && module->programs[other].link_id == id)
			continue;
		note("link %u: type %u, program %u: not of this module", id, info.type, info.prog_id);
		bad = FAILED;
	}
	for (at = 0; at < module->nr_programs; at++) {
		if (module->programs[at].link_id || module->programs[at].link == LINK_NONE)
			continue;
		note("link of program %s (%s): not there", module->programs[at].name,
		     module->programs[at].section);
		bad = FAILED;
	}
	btf__free(kernel);
	return bad;
}

/* What programs may only read has what the object has. */
static int check_contents(void)
{
	struct bpf_object *object;
	struct bpf_map *map;
	size_t at = 0, compared = 0;
	int bad = 0;

	if (!module->object)
		return skip("the module was generated without its object");
	object = open_object();
	REQUIRE(object);
	bpf_object__for_each_map(map, object) {
		struct map *known = at < module->nr_maps ? &module->maps[at++] : NULL;
		size_t size = 0;
		const void *expected = bpf_map__initial_value(map, &size);
		char *found;
		int fd;

		if (!known || !known->id || !expected ||
		    !(bpf_map__map_flags(map) & BPF_F_RDONLY_PROG))
			continue;
		compared++;
		fd = bpf_map_get_fd_by_id(known->id);
		found = size == known->value_size ? whole_map(known, fd) : NULL;
		if (!found || memcmp(found, expected, size)) {
			note("%s: not the bytes of %s", known->name, module->object);
			bad = FAILED;
		}
		free(found);
		if (fd >= 0)
			close(fd);
	}
	bpf_object__close(object);
	if (!compared)
		return skip("no data that is only read");
	return bad;
}

/* Reads to the end, shows the first lines. */
static int read_all(int fd)
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

static int check_published(void)
{
	char folder[] = "/tmp/published.XXXXXX", path[256];
	size_t at;
	int bad = 0;

	REQUIRE(mkdtemp(folder));
	REQUIRE(!mount("bpf", folder, "bpf", 0, NULL));
	for (at = 0; at < module->nr_published; at++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%s", folder, module->published[at]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || read_all(fd)) {
			note("%s in bpffs: %s", module->published[at], strerror(errno));
			bad = FAILED;
		}
		if (fd >= 0)
			close(fd);
	}
	REQUIRE(!umount(folder));
	rmdir(folder);
	return bad;
}

bool has_bpf_lsm(void)
{
	char names[512] = "";
	int fd;

	/* Fails where it is there already. */
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
 * The kernel has functions for tests, which it calls when a program on them is to be
 * tested; whether this is one of those.
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

static int check_runs(const struct program *program)
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
		snprintf(reason, sizeof(reason), "nothing here comes by %s: do it in trigger() of own.c",
			 program->section);
	else if (denials)
		snprintf(reason, sizeof(reason), "%d of the things tried were denied", denials);
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

static int check_records(const struct map *map)
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
	return count ? 0 : skip("no program put a record in");
}

__attribute__((weak)) int trigger(void)
{
	return skip("no own.c with trigger()");
}

static int unloads(void)
{
	int result = syscall(__NR_delete_module, module->name, O_NONBLOCK);

	if (module->mode != MODE_STAY_MODULE) {
		REQUIRE(!result);
		return 0;
	}
	REQUIRE(result && (errno == EBUSY || errno == EWOULDBLOCK));
	return 0;
}

static bool is_loaded(void)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s", module->name);
	return !access(path, F_OK);
}

static int gone(void)
{
	static const size_t none[NR_SORTS];
	static struct census now;

	REQUIRE(!is_loaded());
	REQUIRE(settled(&now, none));
	return 0;
}

static int stays(void)
{
	static struct census now;
	size_t expected[NR_SORTS];
	int sort;

	expect(expected);
	REQUIRE(is_loaded() == (module->mode == MODE_STAY_MODULE));
	REQUIRE(settled(&now, expected));
	for (sort = 0; sort < NR_SORTS; sort++)
		REQUIRE(!newer(&during, &now, sort));
	return 0;
}

/* All together */

/* Why this kernel cannot take the module; NULL when it can. */
static const char *lacking(void)
{
	static char reason[128];
	size_t at;

	for (at = 0; at < module->nr_programs; at++) {
		if (libbpf_probe_bpf_prog_type(module->programs[at].type, NULL) != 0)
			continue;
		snprintf(reason, sizeof(reason), "this kernel has no programs of type %s",
			 libbpf_bpf_prog_type_str(module->programs[at].type));
		return reason;
	}
	for (at = 0; at < module->nr_maps; at++) {
		if (libbpf_probe_bpf_map_type(module->maps[at].type, NULL) != 0)
			continue;
		snprintf(reason, sizeof(reason), "this kernel has no maps of type %s",
			 libbpf_bpf_map_type_str(module->maps[at].type));
		return reason;
	}
	return NULL;
}

static bool is_ring(const struct map *map)
{
	return map->type == BPF_MAP_TYPE_RINGBUF;
}

static int point(const char *what, const char *name, const char *why_not, int result)
{
	if (why_not)
		skip(why_not);
	return finish(what, name, result);
}

/* Not evaluated, and skipped, when there is a reason. */
#define POINT(what, name, why_not, run)							\
	({										\
		const char *reason = (why_not);						\
		errno = 0;								\
		point(what, name, reason, reason ? 0 : (run));				\
	})

static int run_points(void)
{
	bool with_object = custom_btf || log_level, stay;
	const char *why = lacking(), *unsupported = why;
	int failures = 0, descriptors, points, stats = -1;
	size_t at;

	stay = module->mode == MODE_STAY_LINKS || module->mode == MODE_STAY_MODULE;
	points = 8 + with_object + !!module->nr_published + module->nr_programs + 1;
	for (at = 0; at < module->nr_maps; at++)
		points += is_ring(&module->maps[at]);
	printf("KTAP version 1\n1..%d\n", points);
	fflush(stdout);

	if (with_object)
		failures += POINT("the object loads through libbpf", "", why, object_loads());
	take_census(&before);
	descriptors = count_descriptors();
	failures += POINT("the module loads", "", why, loads());
	if (failures && !idle && !is_loaded())
		why = "the module is not loaded";
	if (idle)
		why = "the kernel's preload list does not have it";
	failures += POINT("no descriptor is left behind", "", why, ({
		int now = count_descriptors();
		if (now != descriptors)
			note("%d descriptors before, %d after", descriptors, now);
		now != descriptors;
	}));
	if (!why)
		stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	failures += POINT("programs", "", why, check_programs());
	failures += POINT("maps", "", why, check_maps());
	failures += POINT("links", "", why, check_links());
	failures += POINT("contents of maps", "", why, check_contents());
	if (module->nr_published)
		failures += POINT("iterators in bpffs", "", why, check_published());
	if (!why)
		denials = be_active();
	failures += POINT("trigger of own.c", "", why, trigger());
	for (at = 0; at < module->nr_programs; at++)
		failures += POINT("runs:", module->programs[at].name, why,
				  check_runs(&module->programs[at]));
	for (at = 0; at < module->nr_maps; at++)
		if (is_ring(&module->maps[at]))
			failures += POINT("records in:", module->maps[at].name, why,
					  check_records(&module->maps[at]));
	if (stats >= 0)
		close(stats);
	failures += POINT(module->mode == MODE_STAY_MODULE ? "the module cannot be unloaded" :
							      "the module unloads",
			  "", idle ? NULL : why, unloads());
	/* Nor is anything of a module that could not be loaded. */
	failures += POINT(stay ? "all stays" : "nothing is left", "", unsupported,
			  stay && !why ? stays() : gone());
	return failures ? FAILED : 0;
}

static int usage(const char *program, int status)
{
	fprintf(status ? stderr : stdout,
		"usage: %s [--log-level N] [--btf-custom-path FILE]\n"
		"Loads %s, which lies beside it, looks at it and unloads it. Prints KTAP.\n"
		"  --log-level N            load %s through libbpf as well, and show the verifier's log (1, 2)\n"
		"  --btf-custom-path FILE   the same with another kernel's BTF for CO-RE\n"
		"A file `arguments` beside it has more of them, one a line.\n",
		program, module->file, module->object ? module->object : "the object");
	return status;
}

/* In a virtual machine programs are started without arguments. */
static void add_arguments(int *argc, char ***argv)
{
	FILE *file = fopen(beside("arguments"), "re");
	char **words, line[4096];

	if (!file)
		return;
	words = calloc(*argc + 64, sizeof(*words));
	memcpy(words, *argv, *argc * sizeof(*words));
	while (*argc < 60 && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		words[(*argc)++] = strdup(line);
	}
	fclose(file);
	*argv = words;
}

int test_module(struct module *under_test, int argc, char **argv)
{
	static const struct option options[] = {
		{ "log-level", required_argument, NULL, 'l' },
		{ "btf-custom-path", required_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int option;

	module = under_test;
	add_arguments(&argc, &argv);
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		char *end;

		switch (option) {
		case 'l':
			log_level = strtol(optarg, &end, 10);
			if (end == optarg || *end || log_level < 0 || log_level > 7)
				return usage(argv[0], 2);
			break;
		case 'b':
			/* Beside the program, or where it says. */
			custom_btf = strdup(access(optarg, F_OK) ? beside(optarg) : optarg);
			break;
		case 'h':
			return usage(argv[0], 0);
		default:
			return usage(argv[0], 2);
		}
	}
	if (optind != argc)
		return usage(argv[0], 2);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(print_message);
	return run_points();
}
