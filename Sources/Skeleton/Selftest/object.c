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

const char *custom_btf;
int log_level;

int print_message(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char *text = NULL;

	/* libbpf prints the log itself on failure. */
	if (level == LIBBPF_DEBUG && log_level < 2)
		return 0;
	if (vasprintf(&text, format, arguments) >= 0)
		print_lines(text);
	free(text);
	return 0;
}

static struct bpf_object *open_object(void)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = under_test->object_name,
		    .btf_custom_path = custom_btf);

	return under_test->object ? bpf_object__open_file(beside(under_test->object), &options) : NULL;
}

/* Prints the log of each program if requested; libbpf prints that of one that fails. */
int object_loads(void)
{
	struct bpf_object *object;
	struct bpf_program *program;
	int error;

	if (!under_test->object)
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
	object = open_object();
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
