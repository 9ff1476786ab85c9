// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A function with as many programs as it can have, tail calls under observation, and changed return values. */
#include <errno.h>
#include <stdint.h>

#include "harness.h"

#define MODULE		"kbtf_test.ko"
/* BPF_MAX_TRAMP_LINKS of the kernel, for all that is attached to one function. */
#define MOST_LINKS	38
/* As many fit into a page on 7.2. */
#define FEWEST_LINKS	36

EMBED(trampolines);
EMBED(dropped);

/* Any order that is the same each time: a permutation of 0...count-1 by a step without a common factor. */
static size_t shuffled(size_t at, size_t count)
{
	return (3 + at * 7) % count;
}

/*
 * Every program runs once for each call while it is attached, whichever others come and go. There may be fewer: the
 * trampoline has to fit into a page, and later kernels need more code for each program.
 */
static int many(void)
{
	struct bpf_object *object[MOST_LINKS + 1];
	struct bpf_link *link[MOST_LINKS + 1];
	size_t count, gone, other;

	for (count = 0; count <= MOST_LINKS; count++) {
		object[count] = loaded_with(&trampolines, "entered");
		REQUIRE(object[count]);
		link[count] = bpf_program__attach(bpf_object__find_program_by_name(object[count], "entered"));
		if (!link[count])
			break;
	}
	REQUIRE(errno == E2BIG);
	REQUIRE(count >= FEWEST_LINKS && count <= MOST_LINKS);
	REQUIRE(trigger(1000));
	for (gone = 0; gone < count; gone++) {
		REQUIRE(!bpf_link__destroy(link[shuffled(gone, count)]));
		REQUIRE(trigger(1000));
		for (other = 0; other < count; other++)
			REQUIRE(global(object[shuffled(other, count)], "entered_runs") ==
				(long long)(other <= gone ? other : gone + 1) + 1);
	}
	return 0;
}

/* The object with its jump and its landings, and an observer on the program that jumps. */
static int tail_call(void)
{
	struct bpf_object *below = opened(&trampolines), *above = opened(&trampolines);
	struct bpf_program *program;
	uint32_t key = 1;
	int jumper, jumps, landing;

	REQUIRE(below && above);
	bpf_object__for_each_program(program, below)
		bpf_program__set_autoload(program, bpf_program__type(program) == BPF_PROG_TYPE_SCHED_CLS);
	REQUIRE(!bpf_object__load(below));
	jumper = program_fd(below, "jumper");
	REQUIRE(run_on_packet(jumper) == 5);
	REQUIRE(choose(above, "jumper_left"));
	program = bpf_object__find_program_by_name(above, "jumper_left");
	REQUIRE(!bpf_program__set_attach_target(program, jumper, "jumper"));
	REQUIRE(!bpf_object__load(above));
	REQUIRE(attached(above, "jumper_left"));
	REQUIRE(run_on_packet(jumper) == 5);
	REQUIRE(global(above, "jumper_left_result") == 5);
	/* What the jump leads to is changed while the observer is there. */
	jumps = bpf_object__find_map_fd_by_name(below, "jumps");
	landing = program_fd(below, "first_landing");
	REQUIRE(!bpf_map_update_elem(jumps, &key, &landing, BPF_ANY));
	REQUIRE(run_on_packet(jumper) == 77);
	REQUIRE(global(above, "jumper_left_result") == 77);
	landing = program_fd(below, "second_landing");
	REQUIRE(!bpf_map_update_elem(jumps, &key, &landing, BPF_ANY));
	REQUIRE(run_on_packet(jumper) == 78);
	REQUIRE(global(above, "jumper_left_result") == 78);
	REQUIRE(!bpf_map_delete_elem(jumps, &key));
	REQUIRE(run_on_packet(jumper) == 5);
	REQUIRE(global(above, "jumper_left_result") == 5);
	REQUIRE(passed(above, "jumper_left"));
	return 0;
}

/* Calls the kernel's functions for this: how many ran to their end, and what they returned in all. */
static int run_modify_return(int fd, uint32_t *result)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	int error = bpf_prog_test_run_opts(fd, &options);

	*result = options.retval;
	return error;
}

static int fmod_ret(void)
{
	struct bpf_object *object = loaded_with(&trampolines, "changed");
	uint32_t alone, passing, stopped;
	int fd;

	if (!object) {
		REQUIRE(refused_saying("bpf_modify_return_test() is not modifiable"));
		return skip("the kernel has no function whose return value may be changed");
	}
	fd = program_fd(object, "changed");
	REQUIRE(!run_modify_return(fd, &alone));
	REQUIRE(attached(object, "changed"));
	/* 0 lets the function run. */
	REQUIRE(!run_modify_return(fd, &passing));
	REQUIRE(passed(object, "changed"));
	REQUIRE(passing == alone);
	set_global(object, "change_to", -20);
	REQUIRE(!run_modify_return(fd, &stopped));
	REQUIRE(stopped >> 16 == (alone >> 16) - 1);
	REQUIRE((int16_t)stopped < (int16_t)alone);
	return 0;
}

/* As `kbtf check --attach` predicts it. */
static int dropped_argument(void)
{
	struct bpf_object *below = loaded_with(&dropped, "calls_static"), *above;
	struct bpf_program *program;
	int caller;

	REQUIRE(below);
	caller = program_fd(below, "calls_static");
	REQUIRE(run_on_packet(caller) == 128);
	above = opened(&dropped);
	REQUIRE(above && choose(above, "followed"));
	program = bpf_object__find_program_by_name(above, "followed");
	REQUIRE(!bpf_program__set_attach_target(program, caller, "lost"));
	REQUIRE(bpf_object__load(above));
	REQUIRE(refused_saying("invalid mem access 'scalar'"));
	above = opened(&dropped);
	REQUIRE(above && choose(above, "counted"));
	program = bpf_object__find_program_by_name(above, "counted");
	REQUIRE(!bpf_program__set_attach_target(program, caller, "lost"));
	REQUIRE(!bpf_object__load(above));
	REQUIRE(attached(above, "counted"));
	REQUIRE(run_on_packet(caller) == 128);
	REQUIRE(passed(above, "counted"));
	REQUIRE(global(above, "counted_result") == 128);
	/* That of a global function is the end of its caller. */
	REQUIRE(!loaded_with(&dropped, "calls_global"));
	REQUIRE(refused_saying("Caller passes invalid args into func"));
	return 0;
}

static const struct point points[] = {
	{ "many", many },
	{ "tail_call", tail_call },
	{ "fmod_ret", fmod_ret },
	{ "dropped_argument", dropped_argument },
};

int main(void)
{
	return run_points(points, sizeof(points) / sizeof(*points), MODULE);
}
