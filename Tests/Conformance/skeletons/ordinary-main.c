// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// What the kernel says of each object in objects.def, by both skeletons.

#include <bpf/libbpf.h>
#include <stdio.h>

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level, (void)format, (void)arguments;
	return 0;
}

#define X(name)                                                                                    \
	int name##_ours(int *maps, int *programs);                                                 \
	int name##_theirs(int *maps, int *programs);
#include "objects.def"
#undef X

static const struct {
	const char *name;
	int (*ours)(int *, int *), (*theirs)(int *, int *);
} objects[] = {
#define X(name) { #name, name##_ours, name##_theirs },
#include "objects.def"
};

int main(void)
{
	int count = sizeof(objects) / sizeof(*objects), loaded = 0, failed = 0;

	libbpf_set_print(quiet);
	printf("KTAP version 1\n1..%d\n", count);
	for (int i = 0; i < count; i++) {
		int ours[2] = { 0 }, theirs[2] = { 0 };
		int a = objects[i].ours(&ours[0], &ours[1]), b = objects[i].theirs(&theirs[0], &theirs[1]);
		int same = a == b && ours[0] == theirs[0] && ours[1] == theirs[1];

		loaded += same && !a;
		failed += !same;
		printf("%sok %d %s # %d and %d, %d and %d maps, %d and %d programs\n", same ? "" : "not ", i + 1,
		       objects[i].name, a, b, ours[0], theirs[0], ours[1], theirs[1]);
	}
	printf("# ordinary: %d of %d load\n", loaded, count);
	return failed || !loaded;
}
