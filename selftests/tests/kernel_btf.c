// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The BTF of the kernel itself, which the kernel has from whoever linked it. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "harness.h"
#include "module.h"

EMBED(kernel);

/* With a file `vmlinux.btf` beside this program, the kernel's BTF has these bytes. */
static int in_sysfs(void)
{
	size_t size, expected_size;
	unsigned char *shown = read_whole("/sys/kernel/btf/vmlinux", &size);
	unsigned char *expected = read_whole(beside("vmlinux.btf"), &expected_size);

	REQUIRE(shown);
	REQUIRE(!expected || (size == expected_size && !memcmp(shown, expected, size)));
	free(shown);
	free(expected);
	return 0;
}

static int is_read(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int id;

	REQUIRE(btf);
	id = btf__find_by_name_kind(btf, "task_struct", BTF_KIND_STRUCT);
	REQUIRE(id > 0);
	REQUIRE(btf_vlen(btf__type_by_id(btf, id)) > 50);
	btf__free(btf);
	return 0;
}

/* The pid of a child that came and went. */
static pid_t had_child(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child > 0 && waitpid(child, NULL, 0) == child ? child : -1;
}

static int fentry(void)
{
	struct bpf_object *object = loaded_with(&kernel, "started");
	pid_t child;

	REQUIRE(object);
	set_global(object, "my_pid", getpid());
	REQUIRE(attached(object, "started"));
	child = had_child();
	REQUIRE(passed(object, "started"));
	REQUIRE(global(object, "started_pid") == child);
	return 0;
}

static int tp_btf(void)
{
	struct bpf_object *object = loaded_with(&kernel, "announced");
	pid_t child;

	REQUIRE(object);
	set_global(object, "my_pid", getpid());
	REQUIRE(attached(object, "announced"));
	child = had_child();
	REQUIRE(passed(object, "announced"));
	REQUIRE(global(object, "announced_pid") == child);
	return 0;
}

static const struct point points[] = {
	{ "sysfs", in_sysfs },
	{ "read", is_read },
	{ "fentry", fentry },
	{ "tp_btf", tp_btf },
};

int main(void)
{
	return run_points(points, sizeof(points) / sizeof(*points), NULL);
}
