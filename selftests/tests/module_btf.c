// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Everything that a module's BTF is for. The module is kbtf_test.ko beside this
 * program; its BTF may be split BTF from the start, or rebased, or distilled; or
 * standalone, if the kernel renumbers that. What it then shows is in kbtf_test.ko.btf.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "harness.h"
#include "module.h"

#define MODULE	"kbtf_test.ko"

EMBED(functions);
EMBED(core);
EMBED(kfuncs);
EMBED(kfunc_leak);
EMBED(kfunc_implicit);
EMBED(percpu);
EMBED(task_storage);

/* The kernel shows what it made of distilled BTF, other bytes than the file has. */
static bool is_distilled(void)
{
	size_t size;
	unsigned char *base = read_section(beside(MODULE), ".BTF.base", &size);

	free(base);
	return base != NULL;
}

static bool is_standalone(void)
{
	return !access(beside(MODULE ".btf"), F_OK);
}

static int in_sysfs(void)
{
	REQUIRE(compare_btf(beside(MODULE)) == (is_distilled() ? BTF_OTHER : BTF_SAME));
	return 0;
}

static int fentry(void)
{
	struct bpf_object *object = loaded_with(&functions, "mix_entered");

	REQUIRE(object);
	REQUIRE(attached(object, "mix_entered"));
	REQUIRE(trigger(1000));
	REQUIRE(passed(object, "mix_entered"));
	REQUIRE(global(object, "mix_entered_runs") == 1);
	return 0;
}

static int fexit(void)
{
	struct bpf_object *object = loaded_with(&functions, "mix_left");

	REQUIRE(object);
	REQUIRE(attached(object, "mix_left"));
	REQUIRE(trigger(1000));
	REQUIRE(passed(object, "mix_left"));
	REQUIRE(global(object, "mix_left_runs") == 1);
	return 0;
}

static int tp_btf(void)
{
	struct bpf_object *object = loaded_with(&functions, "moved");

	REQUIRE(object);
	REQUIRE(attached(object, "moved"));
	REQUIRE(trigger(1000));
	REQUIRE(passed(object, "moved"));
	REQUIRE(global(object, "moved_runs") == 1);
	return 0;
}

static int core_fields(void)
{
	struct bpf_object *object = loaded_with(&core, "fields");

	REQUIRE(object);
	REQUIRE(attached(object, "fields"));
	REQUIRE(trigger(1000));
	REQUIRE(passed(object, "fields"));
	return 0;
}

static int core_facts(void)
{
	struct bpf_object *object = loaded_with(&core, "facts");

	REQUIRE(object);
	REQUIRE(attached(object, "facts"));
	REQUIRE(trigger(1000));
	REQUIRE(passed(object, "facts"));
	return 0;
}

static int kfunc(void)
{
	struct bpf_object *object = loaded(&kfuncs);

	REQUIRE(object);
	REQUIRE(run_on_packet(program_fd(object, "weigh")) == 0);
	REQUIRE(passed(object, "weigh"));
	REQUIRE(run_on_packet(program_fd(object, "borrow")) == 0);
	REQUIRE(passed(object, "borrow"));
	return 0;
}

static int kfunc_flags(void)
{
	REQUIRE(!loaded(&kfunc_leak));
	REQUIRE(refused_saying("Unreleased reference"));
	return 0;
}

static int kfunc_implicit_args(void)
{
	struct bpf_object *object;
	struct utsname kernel;

	REQUIRE(!uname(&kernel));
	if (atoi(kernel.release) < 7)
		return skip("no implicit arguments before Linux 7.0");
	object = loaded(&kfunc_implicit);
	REQUIRE(object);
	REQUIRE(run_on_packet(program_fd(object, "served")) == 0);
	REQUIRE(passed(object, "served"));
	return 0;
}

static int per_cpu(void)
{
	struct bpf_object *object = loaded(&percpu);
	long long calls, total;
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	REQUIRE(!sched_setaffinity(0, sizeof(first), &first));
	REQUIRE(object);
	REQUIRE(attached(object, "counted"));
	REQUIRE(trigger(500));
	REQUIRE(passed(object, "counted"));
	calls = global(object, "calls");
	total = global(object, "total");
	REQUIRE(trigger(1));
	REQUIRE(passed(object, "counted"));
	REQUIRE(global(object, "calls") == calls + 1);
	REQUIRE(global(object, "calls_here") == calls + 1);
	REQUIRE(global(object, "total") == total + 500);
	return 0;
}

static int task_of_the_kernel(void)
{
	struct bpf_object *object;

	if (is_standalone())
		return skip("its task_struct is not the kernel's: own_types");
	object = loaded(&task_storage);
	REQUIRE(object);
	REQUIRE(attached(object, "visited"));
	REQUIRE(trigger(30));
	REQUIRE(passed(object, "visited"));
	REQUIRE(global(object, "visited_pid") == getpid());
	REQUIRE(trigger(12));
	REQUIRE(passed(object, "visited"));
	REQUIRE(global(object, "visited_count") == 42);
	return 0;
}

static const struct point points[] = {
	{ "sysfs", in_sysfs },
	{ "fentry", fentry },
	{ "fexit", fexit },
	{ "tp_btf", tp_btf },
	{ "core_fields", core_fields },
	{ "core_facts", core_facts },
	{ "kfunc", kfunc },
	{ "kfunc_flags", kfunc_flags },
	{ "kfunc_implicit", kfunc_implicit_args },
	{ "per_cpu", per_cpu },
	{ "task_storage", task_of_the_kernel },
};

int main(void)
{
	return run_points(points, sizeof(points) / sizeof(*points), MODULE);
}
