// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// A BPF program finds variables of the kernel in the BTF of a module that has nothing else, and not without it.

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_set(const char *path, const char *value)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	int done = file >= 0 && write(file, value, strlen(value)) == (ssize_t)strlen(value);

	close(file);
	return done;
}

static int insert(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	int error = syscall(SYS_finit_module, file, "", 0) ? errno : 0;

	close(file);
	return error;
}

static struct bpf_object *loaded(void)
{
	struct bpf_object *object = bpf_object__open_file("seen.bpf.o", NULL);

	if (object && !bpf_object__load(object))
		return object;
	bpf_object__close(object);
	return NULL;
}

int main(void)
{
	struct { int timeout; unsigned int limit; } seen = {};
	struct bpf_object *object;
	struct bpf_program *program;
	const void *values;
	size_t size;
	int key = 0;

	if (!is_set("/proc/sys/kernel/panic", "37") || !is_set("/proc/sys/kernel/warn_limit", "23"))
		return printf("the two variables cannot be set\n"), 1;
	if (loaded())
		return printf("the program loads without the module\n"), 1;
	if (insert("kbtf_vars.ko"))
		return printf("the module does not load\n"), 1;
	if (access("/sys/kernel/btf/kbtf_vars", R_OK))
		return printf("the kernel has no BTF of the module\n"), 1;
	object = loaded();
	if (!object)
		return printf("the program does not load\n"), 1;
	program = bpf_object__find_program_by_name(object, "look");
	if (bpf_prog_test_run_opts(bpf_program__fd(program), NULL))
		return printf("the program does not run\n"), 1;
	values = bpf_map__initial_value(bpf_object__find_map_by_name(object, ".bss"), &size);
	if (!values || size != sizeof(seen) ||
	    bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(object, ".bss"), &key, &seen))
		return printf("what it saw cannot be read\n"), 1;
	if (seen.timeout != 37 || seen.limit != 23)
		return printf("it saw %d and %u\n", seen.timeout, seen.limit), 1;
	return 0;
}
