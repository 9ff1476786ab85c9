// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module.h"

#include <bpf/btf.h>

#define MAX_KEPT	64
#define PASSED		(-1)	/* progs/common.h */

static struct bpf_object *objects[MAX_KEPT];
static struct bpf_link *links[MAX_KEPT];
static size_t nr_objects, nr_links;

/* Diagnostics of the point that is running: what libbpf said, with the verifier's log. */
static char *diagnostics;
static size_t diagnostics_size;
static FILE *diagnostics_file;

void note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(diagnostics_file, format, arguments);
	va_end(arguments);
	fputc('\n', diagnostics_file);
}

static int take_message(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(diagnostics_file, format, arguments);
}

int skip(const char *reason)
{
	/* Before what libbpf may have said: the first line is printed. */
	rewind(diagnostics_file);
	note("%s", reason);
	return SKIPPED;
}

struct bpf_object *opened(const struct embedded *embedded)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = embedded->name);
	struct bpf_object *object;

	if (nr_objects == MAX_KEPT)
		return NULL;
	object = bpf_object__open_mem(embedded->from, embedded->to - embedded->from, &options);
	if (object)
		objects[nr_objects++] = object;
	return object;
}

struct bpf_object *loaded(const struct embedded *embedded)
{
	struct bpf_object *object = opened(embedded);

	return object && !bpf_object__load(object) ? object : NULL;
}

bool choose(struct bpf_object *object, const char *name)
{
	struct bpf_program *program, *wanted = bpf_object__find_program_by_name(object, name);

	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, program == wanted);
	return wanted != NULL;
}

struct bpf_object *loaded_with(const struct embedded *embedded, const char *program)
{
	struct bpf_object *object = opened(embedded);

	return object && choose(object, program) && !bpf_object__load(object) ? object : NULL;
}

bool keep(struct bpf_link *link)
{
	if (!link || nr_links == MAX_KEPT)
		return false;
	links[nr_links++] = link;
	return true;
}

bool attached(struct bpf_object *object, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	return program && keep(bpf_program__attach(program));
}

int program_fd(struct bpf_object *object, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	return program ? bpf_program__fd(program) : -ENOENT;
}

static void let_go(void)
{
	while (nr_links)
		bpf_link__destroy(links[--nr_links]);
	while (nr_objects)
		bpf_object__close(objects[--nr_objects]);
}

struct place {
	struct bpf_map *map;
	unsigned int offset;
	unsigned int size;
};

/* Where a global variable lies, from the object's own BTF. */
static bool find_global(struct bpf_object *object, const char *name, struct place *place)
{
	static const char *const sections[] = { ".bss", ".data" };
	const struct btf *btf = bpf_object__btf(object);
	size_t at;
	int i;

	for (at = 0; at < sizeof(sections) / sizeof(*sections); at++) {
		int id = btf__find_by_name_kind(btf, sections[at], BTF_KIND_DATASEC);
		const struct btf_type *section = id > 0 ? btf__type_by_id(btf, id) : NULL;
		const struct btf_var_secinfo *variable = section ? btf_var_secinfos(section) : NULL;

		for (i = 0; section && i < btf_vlen(section); i++, variable++) {
			const struct btf_type *type = btf__type_by_id(btf, variable->type);
			struct bpf_map *map;

			if (strcmp(btf__name_by_offset(btf, type->name_off), name))
				continue;
			/* The map's name has the object's before it. */
			bpf_object__for_each_map(map, object) {
				const char *end = strrchr(bpf_map__name(map), '.');

				if (end && !strcmp(end, sections[at])) {
					*place = (struct place){ map, variable->offset, variable->size };
					return true;
				}
			}
		}
	}
	return false;
}

/* Reads, or with `write` replaces, the bytes of a global variable. */
static void access_global(struct bpf_object *object, const char *name, void *bytes,
			  unsigned int *size, bool write)
{
	struct place place;
	unsigned int key = 0;
	char *content;
	size_t length;

	if (!find_global(object, name, &place) || place.size > *size) {
		printf("Bail out! no global variable %s\n", name);
		exit(FAILED);
	}
	length = bpf_map__value_size(place.map);
	content = calloc(1, length);
	*size = place.size;
	if (!content || bpf_map__lookup_elem(place.map, &key, sizeof(key), content, length, 0)) {
		printf("Bail out! cannot read %s: %s\n", name, strerror(errno));
		exit(FAILED);
	}
	if (write) {
		memcpy(content + place.offset, bytes, place.size);
		bpf_map__update_elem(place.map, &key, sizeof(key), content, length, 0);
	} else {
		memcpy(bytes, content + place.offset, place.size);
	}
	free(content);
}

long long global(struct bpf_object *object, const char *name)
{
	long long value = 0;
	unsigned int size = sizeof(value);

	access_global(object, name, &value, &size, false);
	return size == sizeof(int) ? (int)value : value;
}

void set_global(struct bpf_object *object, const char *name, long long value)
{
	unsigned int size = sizeof(value);

	access_global(object, name, &value, &size, true);
}

bool passed(struct bpf_object *object, const char *program)
{
	char name[128];
	long long line;

	snprintf(name, sizeof(name), "%s_line", program);
	line = global(object, name);
	if (line == 0)
		note("BPF program %s did not run", program);
	else if (line != PASSED)
		note("BPF program %s: line %lld of %s.bpf.c does not hold", program, line,
		     bpf_object__name(object));
	return line == PASSED;
}

bool refused_saying(const char *text)
{
	fflush(diagnostics_file);
	return strstr(diagnostics, text) != NULL;
}

int run_on_packet(int fd)
{
	unsigned char packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = 1);
	int error = bpf_prog_test_run_opts(fd, &options);

	return error ? error : (int)options.retval;
}

bool trigger(unsigned int number)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", number);
	int fd = open("/sys/module/kbtf_test/parameters/trigger", O_WRONLY);
	bool done = fd >= 0 && write(fd, text, length) == length;

	if (fd >= 0)
		close(fd);
	return done;
}

static void print_diagnostics(void)
{
	char *line, *rest = diagnostics;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			printf("# %s\n", line);
}

/* In the child: its exit status is the number of points that failed. */
static int run_all(const struct point *points, size_t count)
{
	size_t at;
	int failures = 0;

	for (at = 0; at < count; at++) {
		int result;

		diagnostics_file = open_memstream(&diagnostics, &diagnostics_size);
		errno = 0;
		result = points[at].run();
		let_go();
		fclose(diagnostics_file);
		if (result == SKIPPED) {
			diagnostics[strcspn(diagnostics, "\n")] = 0;
			printf("ok %zu %s # SKIP %s\n", at + 1, points[at].name, diagnostics);
		} else if (result) {
			print_diagnostics();
			printf("not ok %zu %s\n", at + 1, points[at].name);
			failures++;
		} else {
			printf("ok %zu %s\n", at + 1, points[at].name);
		}
		fflush(stdout);
		free(diagnostics);
	}
	return failures;
}

int run_points(const struct point *points, size_t count, const char *module)
{
	int status = 0, error;
	pid_t child;

	printf("KTAP version 1\n1..%zu\n", count);
	fflush(stdout);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(take_message);
	if (module) {
		/* Before the path of the module, for it stays valid only so long. */
		int flags = access(beside("other-build"), F_OK) ? 0 : ANY_BUILD;

		error = load_module(beside(module), flags);
		if (error) {
			printf("Bail out! cannot load %s: %s\n", module, strerror(-error));
			return FAILED;
		}
	}
	child = fork();
	if (child == 0)
		exit(run_all(points, count) ? FAILED : 0);
	if (child < 0 || waitpid(child, &status, 0) != child) {
		printf("Bail out! cannot start: %s\n", strerror(errno));
		return FAILED;
	}
	if (WIFSIGNALED(status))
		printf("# ended by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (module) {
		error = unload_module(module);
		if (error) {
			printf("# cannot unload %s: %s\n", module, strerror(-error));
			return FAILED;
		}
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
}
