// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Loads objects in a guest whose kernel shows no BTF, each with the BTF that kbtf made for it. The file `expected` has a
// line for each: its name, and what the program has to find.

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level, (void)format, (void)arguments;
	return 0;
}

/* With `types` NULL, libbpf looks for the kernel's own BTF. */
static struct bpf_object *load(const char *name, const char *types)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = types);
	char path[128];
	struct bpf_object *object;

	snprintf(path, sizeof(path), "%s.bpf.o", name);
	object = bpf_object__open_file(path, &options);
	if (object && bpf_object__load(object)) {
		bpf_object__close(object);
		return NULL;
	}
	return object;
}

static int finds(struct bpf_object *object, const unsigned int expected[3], unsigned int found[3])
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, "look");
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".bss");
	struct bpf_link *link = bpf_program__attach(program);
	unsigned int key = 0;

	if (!link || !map)
		return 0;
	syscall(SYS_getppid);
	bpf_map_lookup_elem(bpf_map__fd(map), &key, found);
	bpf_link__destroy(link);
	return !memcmp(expected, found, 3 * sizeof(*found));
}

int main(void)
{
	char name[64], types[128];
	unsigned int expected[3], found[3];
	int number = 0, failed = 0;
	FILE *file = fopen("expected", "r");

	libbpf_set_print(quiet);
	if (!file || mount("none", "/sys/kernel/btf", "tmpfs", 0, NULL)) {
		perror("expected, or the mount over /sys/kernel/btf");
		return 1;
	}
	printf("KTAP version 1\n");
	while (fscanf(file, "%63s %u %u %u", name, &expected[0], &expected[1], &expected[2]) == 4) {
		struct bpf_object *object = load(name, NULL);
		int good = !object;

		bpf_object__close(object);
		failed += !good;
		printf("%sok %d %s without BTF is refused\n", good ? "" : "not ", ++number, name);
		snprintf(types, sizeof(types), "%s.btf", name);
		memset(found, 0, sizeof(found));
		object = load(name, types);
		good = object && finds(object, expected, found);
		bpf_object__close(object);
		failed += !good;
		printf("%sok %d %s # found %u %u %u\n", good ? "" : "not ", ++number, name, found[0], found[1], found[2]);
	}
	printf("1..%d\n", number);
	return failed || !number;
}
