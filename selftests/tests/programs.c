// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* BPF programs attached to BPF programs, with subprograms and without. */
#include "harness.h"

EMBED(target);
EMBED(observer);
EMBED(replacement);
EMBED(misfit);

/* The program NAME of an object alone, made ready to be put on FUNCTION of the program FD. */
static bool aimed(struct bpf_object *object, const char *name, int fd, const char *function)
{
	return choose(object, name) &&
	       !bpf_program__set_attach_target(bpf_object__find_program_by_name(object, name), fd,
					       function);
}

/* fexit program NAME sees FUNCTION of the program TARGET return. */
static int seen(const char *name, const char *target_name, const char *function, int result)
{
	struct bpf_object *below = loaded(&target);
	struct bpf_object *object = opened(&observer);
	int fd;

	REQUIRE(below && object);
	fd = program_fd(below, target_name);
	REQUIRE(aimed(object, name, fd, function));
	REQUIRE(!bpf_object__load(object));
	REQUIRE(attached(object, name));
	REQUIRE(run_on_packet(fd) == result);
	REQUIRE(passed(object, name));
	return 0;
}

static int fexit_main(void)
{
	return seen("main_left", "with_subprogram", "with_subprogram", 192);
}

static int fexit_subprogram(void)
{
	return seen("scale_left", "with_subprogram", "scale", 192);
}

static int fexit_without_subprogram(void)
{
	return seen("plain_left", "without_subprogram", "without_subprogram", 65);
}

static int freplace(void)
{
	struct bpf_object *below = loaded(&target);
	struct bpf_object *object = opened(&replacement);
	struct bpf_program *program;
	struct bpf_link *link;
	int fd;

	REQUIRE(below && object);
	fd = program_fd(below, "with_subprogram");
	REQUIRE(aimed(object, "scaled", fd, "scale"));
	REQUIRE(!bpf_object__load(object));
	program = bpf_object__find_program_by_name(object, "scaled");
	REQUIRE(run_on_packet(fd) == 192);
	link = bpf_program__attach_freplace(program, fd, "scale");
	REQUIRE(link);
	REQUIRE(run_on_packet(fd) == 1003);
	REQUIRE(passed(object, "scaled"));
	REQUIRE(!bpf_link__destroy(link));
	REQUIRE(run_on_packet(fd) == 192);
	return 0;
}

static int freplace_of_another_prototype(void)
{
	struct bpf_object *below = loaded(&target);
	struct bpf_object *object = opened(&misfit);

	REQUIRE(below && object);
	REQUIRE(aimed(object, "misfit", program_fd(below, "with_subprogram"), "scale"));
	REQUIRE(bpf_object__load(object));
	REQUIRE(refused_saying("arg1"));
	return 0;
}

static const struct point points[] = {
	{ "fexit_main", fexit_main },
	{ "fexit_subprogram", fexit_subprogram },
	{ "fexit_without_subprogram", fexit_without_subprogram },
	{ "freplace", freplace },
	{ "freplace_of_another_prototype", freplace_of_another_prototype },
};

int main(void)
{
	return run_points(points, sizeof(points) / sizeof(*points), NULL);
}
