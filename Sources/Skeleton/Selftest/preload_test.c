// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The points, in order, and the command line. */
#define _GNU_SOURCE
#include "checks.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "activity.h"

struct module *under_test;

static int load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error = 0;

	if (fd < 0 || syscall(__NR_finit_module, fd, "", 0))
		error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return error;
}

/* Not on the kernel's list. */
static bool idle;
/* Why the module could not be loaded, if that is the kernel's age. */
static const char *missing;

static int loads(void)
{
	int error = load(beside(under_test->file));

	/* Only then: a program may ask before it calls. */
	if (error)
		missing = lacking_helper();
	if (missing)
		return skip(missing);
	if (error && under_test->object && !has_log_levels()) {
		if (!object_loads())
			note("the object loads through libbpf");
		forget_skip();
	}
	errno = error;
	REQUIRE(!error);
	take_census(&during);
	idle = under_test->mode == MODE_PRELOAD && !newer(&during, &before, PROGRAMS) && has_preload_list();
	return idle ? skip("the kernel's preload list does not contain it") : 0;
}

static int unloads(void)
{
	int result = syscall(__NR_delete_module, under_test->name, O_NONBLOCK);

	if (under_test->mode != MODE_STAY_MODULE && !kept) {
		REQUIRE(!result);
		return 0;
	}
	REQUIRE(result && (errno == EBUSY || errno == EWOULDBLOCK));
	return 0;
}

static bool is_loaded(void)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s", under_test->name);
	return !access(path, F_OK);
}

static int gone(void)
{
	static const size_t none[NR_SORTS];
	static struct census now;

	REQUIRE(!is_loaded());
	REQUIRE(settled(&now, none));
	return 0;
}

static int stays(void)
{
	static struct census now;
	size_t expected[NR_SORTS];
	int sort;

	expect(expected);
	REQUIRE(is_loaded() == (kept || under_test->mode == MODE_STAY_MODULE));
	REQUIRE(settled(&now, expected));
	for (sort = 0; sort < NR_SORTS; sort++)
		REQUIRE(!newer(&during, &now, sort));
	return 0;
}

/* All together */

/* Why this kernel cannot load the module; NULL if it can. */
static const char *lacking(void)
{
	static char reason[128];
	size_t at;

	for (at = 0; at < under_test->nr_programs; at++) {
		if (libbpf_probe_bpf_prog_type(under_test->programs[at].type, NULL) != 0)
			continue;
		snprintf(reason, sizeof(reason), "this kernel does not support programs of type %s",
			 libbpf_bpf_prog_type_str(under_test->programs[at].type));
		return reason;
	}
	for (at = 0; at < under_test->nr_maps; at++) {
		if (libbpf_probe_bpf_map_type(under_test->maps[at].type, NULL) != 0)
			continue;
		snprintf(reason, sizeof(reason), "this kernel does not support maps of type %s",
			 libbpf_bpf_map_type_str(under_test->maps[at].type));
		return reason;
	}
	return NULL;
}

static bool is_ring(const struct map *map)
{
	return map->type == BPF_MAP_TYPE_RINGBUF;
}

static int point(const char *what, const char *name, const char *why_not, int result)
{
	if (why_not)
		skip(why_not);
	return finish(what, name, result);
}

/* Skipped without evaluation if there is a reason. */
#define POINT(what, name, why_not, run)							\
	({										\
		const char *reason = (why_not);						\
		errno = 0;								\
		point(what, name, reason, reason ? 0 : (run));				\
	})

static int run_points(void)
{
	bool with_object = custom_btf || has_log_levels(), stay;
	const char *why = lacking(), *unsupported = why;
	int failures = 0, denials = 0, descriptors, points, stats = -1;
	size_t at;

	stay = under_test->mode == MODE_STAY_LINKS || under_test->mode == MODE_STAY_MODULE;
	points = 8 + with_object + !!under_test->nr_published + under_test->nr_programs + 1;
	points += under_test->mode == MODE_PRELOAD;
	for (at = 0; at < under_test->nr_maps; at++)
		points += is_ring(&under_test->maps[at]);
	printf("KTAP version 1\n1..%d\n", points);
	fflush(stdout);

	if (with_object)
		failures += POINT("the object loads through libbpf", "", why, object_loads());
	take_census(&before);
	descriptors = count_descriptors();
	failures += POINT("the module loads", "", why, loads());
	if (missing)
		why = missing;
	else if (failures && !idle && !is_loaded())
		why = "the module is not loaded";
	if (idle)
		why = "the kernel's preload list does not contain it";
	failures += POINT("no descriptor is left behind", "", why, ({
		int now = count_descriptors();
		if (now != descriptors)
			note("%d descriptors before, %d after", descriptors, now);
		now != descriptors;
	}));
	if (!why)
		stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	failures += POINT("programs", "", why, check_programs());
	failures += POINT("maps", "", why, check_maps());
	failures += POINT("links", "", why, check_links());
	failures += POINT("contents of maps", "", why, check_contents());
	if (under_test->nr_published)
		failures += POINT("iterators in bpffs", "", why, check_published());
	if (under_test->mode == MODE_PRELOAD)
		failures += POINT("pinned in bpffs", "",
				  why || has_preload_list() ? why : "the kernel has no preload list",
				  check_pinned());
	stay = stay || kept;
	if (!why)
		denials = be_active();
	failures += POINT("trigger of own.c", "", why, trigger());
	for (at = 0; at < under_test->nr_programs; at++)
		failures += POINT("runs:", under_test->programs[at].name, why,
				  check_runs(&under_test->programs[at], denials));
	for (at = 0; at < under_test->nr_maps; at++)
		if (is_ring(&under_test->maps[at]))
			failures += POINT("records in:", under_test->maps[at].name, why,
					  check_records(&under_test->maps[at]));
	if (stats >= 0)
		close(stats);
	failures += POINT(kept || under_test->mode == MODE_STAY_MODULE ? "the module cannot be unloaded" :
									 "the module unloads",
			  "", idle ? NULL : why, unloads());
	/* This also holds for a module that could not be loaded. */
	failures += POINT(stay ? "all stays" : "nothing is left", "", unsupported,
			  stay && !why ? stays() : gone());
	return failures ? FAILED : 0;
}

static int usage(const char *program, int status)
{
	fprintf(status ? stderr : stdout,
		"usage: %s [--log-level [PROG=]N]... [--btf-log-level N] [--btf-custom-path FILE]\n"
		"Loads %s from its own directory, checks it and unloads it. Prints KTAP.\n"
		"  --log-level N            also load %s through libbpf, and show the verifier's log (1, 2)\n"
		"  --log-level PROG=N       the same for one program\n"
		"  --btf-log-level N        the same for the object's BTF\n"
		"  --btf-custom-path FILE   the same with another kernel's BTF for CO-RE\n"
		"A file `arguments` beside it may contain more arguments, one per line.\n",
		program, under_test->file, under_test->object ? under_test->object : "the object");
	return status;
}

/* Virtual machines start programs without arguments. */
static void add_arguments(int *argc, char ***argv)
{
	FILE *file = fopen(beside("arguments"), "re");
	char **words, line[4096];

	if (!file)
		return;
	words = calloc(*argc + 64, sizeof(*words));
	memcpy(words, *argv, *argc * sizeof(*words));
	while (*argc < 60 && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		words[(*argc)++] = strdup(line);
	}
	fclose(file);
	*argv = words;
}

/* Negative for what is not one. */
static int log_level_in(const char *text)
{
	char *end;
	long level = strtol(text, &end, 10);

	return end == text || *end || level < 0 || level > 7 ? -1 : level;
}

int test_module(struct module *module, int argc, char **argv)
{
	static const struct option options[] = {
		{ "log-level", required_argument, NULL, 'l' },
		{ "btf-log-level", required_argument, NULL, 'B' },
		{ "btf-custom-path", required_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int option;

	under_test = module;
	add_arguments(&argc, &argv);
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		const char *equals;
		int level;

		switch (option) {
		case 'l':
			equals = strchr(optarg, '=');
			level = log_level_in(equals ? equals + 1 : optarg);
			if (level < 0 || (equals && !set_log_level(optarg, equals - optarg, level)))
				return usage(argv[0], 2);
			if (!equals)
				log_level = level;
			break;
		case 'B':
			btf_log_level = log_level_in(optarg);
			if (btf_log_level < 0)
				return usage(argv[0], 2);
			break;
		case 'b':
			/* The path itself, or a file beside the program. */
			custom_btf = strdup(access(optarg, F_OK) ? beside(optarg) : optarg);
			break;
		case 'h':
			return usage(argv[0], 0);
		default:
			return usage(argv[0], 2);
		}
	}
	if (optind != argc)
		return usage(argv[0], 2);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(print_message);
	return run_points();
}
