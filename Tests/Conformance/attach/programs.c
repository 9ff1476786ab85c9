// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Loads each object in the directory `objects` beside this program, and attaches its program. Prints
 *
 *	# program NAME LOAD ATTACH
 *
 * with errno values, 0 for success, `-` for a program that is not attached.
 */
#define _GNU_SOURCE
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

/* Of a program whose section says where it belongs. */
static int attaches(const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);

	return strcmp(section, "xdp") && strcmp(section, "socket");
}

static void try(const char *path, const char *name)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program = object ? bpf_object__next_program(object, NULL) : NULL;
	struct bpf_link *link;

	if (!program) {
		printf("# program %s %d -\n", name, errno);
	} else if (bpf_object__load(object)) {
		printf("# program %s %d -\n", name, errno);
	} else if (!attaches(program)) {
		printf("# program %s 0 -\n", name);
	} else {
		link = bpf_program__attach(program);
		printf("# program %s 0 %d\n", name, link ? 0 : errno);
		bpf_link__destroy(link);
	}
	bpf_object__close(object);
}

int main(void)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 8);
	struct dirent **entries;
	int count, at;

	printf("KTAP version 1\n1..1\n");
	if (length < 0)
		return 1;
	path[length] = 0;
	dirname(path);
	if (chdir(path) || chdir("objects"))
		return 1;
	libbpf_set_print(quiet);
	count = scandir(".", &entries, NULL, alphasort);
	for (at = 0; at < count; at++) {
		char *name = entries[at]->d_name, *end = strstr(name, ".o");

		if (!end || end[2])
			continue;
		snprintf(path, sizeof(path), "%s", name);
		*end = 0;
		try(path, name);
	}
	printf("ok 1 programs\n");
	return 0;
}
