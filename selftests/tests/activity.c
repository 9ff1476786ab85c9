// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the test of a preload module does to make programs run reaches every hook and
 * every place that it claims to know: a program that does nothing is attached to each,
 * and counted. Hooks that a kernel does not have are none of its claims.
 */
#include "../../Sources/Skeleton/Selftest/activity.c"

#include <stdio.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "harness.h"

#define MAX_PLACES	128

static struct btf *kernel;
static int stats;

struct place {
	const char *name;
	int program;
	int link;
};

/* A program that returns 0; negative when the kernel has no such hook or place. */
static int load(enum bpf_prog_type type, enum bpf_attach_type attach_type, const char *target)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach_type);
	int id = btf__find_by_name_kind(kernel, target, BTF_KIND_FUNC);

	if (type != BPF_PROG_TYPE_RAW_TRACEPOINT) {
		if (id < 0)
			return id;
		options.attach_btf_id = id;
	}
	return bpf_prog_load(type, "nothing", "GPL", nothing, 2, &options);
}

static unsigned long long count(int program)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(program, &info, &size) ? 0 : info.run_cnt;
}

static int all_run(struct place *places, size_t number)
{
	size_t at, attached = 0, silent = 0;

	be_active();
	for (at = 0; at < number; at++) {
		if (places[at].link < 0)
			continue;
		attached++;
		if (!count(places[at].program)) {
			note("%s: nothing came by", places[at].name);
			silent++;
		}
		close(places[at].link);
		close(places[at].program);
	}
	printf("# %zu of %zu are there\n", attached, number);
	REQUIRE(!silent);
	/* A kernel without a network has no hooks of sockets. */
	REQUIRE(attached * 4 > number * 3);
	return 0;
}

static int hooks(void)
{
	static struct place places[MAX_PLACES];
	size_t at, number = sizeof(known_hooks) / sizeof(*known_hooks);
	char name[64];

	for (at = 0; at < number; at++) {
		snprintf(name, sizeof(name), "bpf_lsm_%s", known_hooks[at]);
		places[at].name = known_hooks[at];
		places[at].program = load(BPF_PROG_TYPE_LSM, BPF_LSM_MAC, name);
		places[at].link = places[at].program < 0 ?
			-1 : bpf_raw_tracepoint_open(NULL, places[at].program);
		if (places[at].link < 0)
			note("%s: %s", known_hooks[at], strerror(errno));
	}
	return all_run(places, number);
}

static int other_places(void)
{
	static struct place places[MAX_PLACES];
	size_t at, number = sizeof(known_places) / sizeof(*known_places);

	for (at = 0; at < number; at++) {
		const char *name = known_places[at];

		places[at].name = name;
		places[at].program = load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, name);
		places[at].link = bpf_raw_tracepoint_open(name, places[at].program);
		if (places[at].link >= 0)
			continue;
		close(places[at].program);
		places[at].program = load(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, name);
		places[at].link = places[at].program < 0 ?
			-1 : bpf_raw_tracepoint_open(NULL, places[at].program);
	}
	return all_run(places, number);
}

static const struct point points[] = {
	{ "hooks", hooks },
	{ "other places", other_places },
};

int main(int argc, char **argv)
{
	(void)argv;
	/* As what it starts itself. */
	if (argc > 1)
		return 0;
	kernel = btf__load_vmlinux_btf();
	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (!kernel || stats < 0)
		return FAILED;
	return run_points(points, sizeof(points) / sizeof(*points), NULL);
}
