// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The BPF object beside the module, through libbpf. */
#define _GNU_SOURCE
#include "checks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define LOG_SIZE	(1 << 20)
#define BTF_LOG_SIZE	(1 << 24)

const char *custom_btf;
int log_level, btf_log_level;
/* Of single programs, -1 if not given; made on first use. */
static int *log_levels;

static const struct program *find(const char *name, size_t length)
{
	size_t at;

	for (at = 0; at < under_test->nr_programs; at++) {
		const char *known = under_test->programs[at].name;

		if (strlen(known) == length && !memcmp(known, name, length))
			return &under_test->programs[at];
	}
	return NULL;
}

bool set_log_level(const char *name, size_t length, int level)
{
	const struct program *program = find(name, length);
	size_t at;

	if (!program)
		return false;
	if (!log_levels) {
		log_levels = malloc(under_test->nr_programs * sizeof(*log_levels));
		for (at = 0; at < under_test->nr_programs; at++)
			log_levels[at] = -1;
	}
	log_levels[program - under_test->programs] = level;
	return true;
}

static int level_of(const char *name)
{
	const struct program *program = find(name, strlen(name));
	int own = log_levels && program ? log_levels[program - under_test->programs] : -1;

	return own < 0 ? log_level : own;
}

bool has_log_levels(void)
{
	return log_level || btf_log_level || log_levels;
}

int print_message(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char *text = NULL;

	/* libbpf prints the log itself on failure. */
	if (level == LIBBPF_DEBUG && log_level < 2 && btf_log_level < 2)
		return 0;
	if (vasprintf(&text, format, arguments) >= 0)
		print_lines(text);
	free(text);
	return 0;
}

/* With `log` the kernel says there what it reads in the object's BTF. */
static struct bpf_object *open_object(char *log)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = under_test->object_name,
		    .btf_custom_path = custom_btf);

	if (log) {
		options.kernel_log_buf = log;
		options.kernel_log_size = BTF_LOG_SIZE;
		options.kernel_log_level = btf_log_level;
	}
	return under_test->object ? bpf_object__open_file(beside(under_test->object), &options) : NULL;
}

/* Prints the log of each program if requested; libbpf prints that of one that fails. */
int object_loads(void)
{
	struct bpf_object *object;
	struct bpf_program *program;
	char *btf_log = NULL;
	int error;

	if (!under_test->object)
		return skip("the module was generated without its object");
	if (btf_log_level)
		btf_log = calloc(1, BTF_LOG_SIZE);
	object = open_object(btf_log);
	REQUIRE(object);
	bpf_object__for_each_program(program, object) {
		int level = level_of(bpf_program__name(program));
		char *log = level ? calloc(1, LOG_SIZE) : NULL;

		if (log)
			bpf_program__set_log_buf(program, log, LOG_SIZE);
		/* Those of an object are its programs' otherwise. */
		bpf_program__set_log_level(program, level);
	}
	error = bpf_object__load(object);
	if (btf_log) {
		note("BTF:");
		print_lines(btf_log);
		free(btf_log);
	}
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

/* Read-only data has the object's contents. */
int check_contents(void)
{
	struct bpf_object *object;
	struct bpf_map *map;
	size_t at = 0, compared = 0;
	int bad = 0;

	if (!under_test->object)
		return skip("the module was generated without its object");
	REQUIRE(!access(beside(under_test->object), R_OK));
	object = open_object(NULL);
	if (!object)
		return skip("the libbpf of this test is too old to read the object");
	bpf_object__for_each_map(map, object) {
		struct map *known = at < under_test->nr_maps ? &under_test->maps[at++] : NULL;
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
			note("%s: differs from %s", known->name, under_test->object);
			bad = FAILED;
		}
		free(found);
		if (fd >= 0)
			close(fd);
	}
	bpf_object__close(object);
	if (!compared)
		return skip("no read-only data");
	return bad;
}
