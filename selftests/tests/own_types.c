// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * kbtf_test.ko beside this program has standalone BTF that was only renumbered to
 * be split from the kernel's, or that the kernel renumbers: good to attach by and to
 * read through, but its task_struct is its own, which the verifier tells from the
 * kernel's.
 */
#include <unistd.h>

#include "harness.h"
#include "module.h"

#define MODULE	"kbtf_test.ko"

EMBED(visit);
EMBED(task_storage);

static int in_sysfs(void)
{
	REQUIRE(compare_btf(beside(MODULE)) == BTF_SAME);
	return 0;
}

static int task_is_read(void)
{
	struct bpf_object *object = loaded(&visit);

	REQUIRE(object);
	REQUIRE(attached(object, "visit"));
	REQUIRE(trigger(1000));
	REQUIRE(passed(object, "visit"));
	REQUIRE(global(object, "visit_pid") == getpid());
	return 0;
}

static int task_is_refused(void)
{
	REQUIRE(!loaded(&task_storage));
	REQUIRE(refused_saying("R2 is of type task_struct but task_struct is expected"));
	return 0;
}

static const struct point points[] = {
	{ "sysfs", in_sysfs },
	{ "task_is_read", task_is_read },
	{ "task_is_refused", task_is_refused },
};

int main(void)
{
	return run_points(points, sizeof(points) / sizeof(*points), MODULE);
}
