// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * For kernels that renumber standalone BTF (kbuild/patches): kbtf_test.ko beside this
 * program has such BTF, of which damaged copies are loaded. A file `mutants` says how
 * many at random, and from which seed. Memory that is lost is counted where the kernel
 * has kmemleak; what else it complains about, kbtf vm sees on its console.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "damage.h"
#include "harness.h"
#include "kmemleak.h"
#include "module.h"

static unsigned char *expected;
static size_t expected_size;

static int load_copy(void)
{
	return syscall(SYS_init_module, copy, size, "") ? errno : 0;
}

/* Whether the kernel wrote the text since the last call. */
static bool logged(const char *text)
{
	static int log = -1;
	char record[8192];
	bool found = false;
	ssize_t length;

	if (log < 0)
		log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	while ((length = read(log, record, sizeof(record) - 1)) > 0 || (length < 0 && errno == EPIPE)) {
		if (length < 0)
			continue;
		record[length] = 0;
		found = found || strstr(record, text);
	}
	return found;
}

static bool start(void)
{
	if (!expected)
		expected = read_whole(beside(MODULE ".btf"), &expected_size);
	return read_original(MODULE) && expected;
}

static bool shown_as_expected(void)
{
	size_t shown_size;
	unsigned char *shown = read_whole("/sys/kernel/btf/kbtf_test", &shown_size);
	bool same = shown && shown_size == expected_size && !memcmp(shown, expected, shown_size);

	free(shown);
	return same;
}

static int single_faults(void)
{
	size_t at;

	REQUIRE(start());
	for (at = 0; at < nr_damages; at++) {
		const struct damage *damage = &damages[at];
		int error;

		make_copy();
		damage->make();
		logged("");
		error = load_copy();
		note("%s: errno %d, expected %d", damage->name, error, damage->error);
		REQUIRE(error == damage->error);
		REQUIRE(!error || damage->as_standalone == EITHER ||
			logged("standalone BTF") == (damage->as_standalone == YES));
		if (!error) {
			REQUIRE(damage->differs || shown_as_expected());
			REQUIRE(!unload_module(MODULE));
		}
	}
	return 0;
}

static int no_mercy(void)
{
	REQUIRE(start());
	make_copy();
	/* A mark that contradicts the file. */
	marked_and_distilled();
	REQUIRE(load_copy() == EINVAL);
	make_copy();
	marked_without_empty_string();
	/* Kernels accept split BTF with any first string. */
	REQUIRE(!load_copy());
	REQUIRE(!unload_module(MODULE));
	return 0;
}

/* Split BTF in a module that is marked as standalone, by the first of two marks. */
static int lying_mark(void)
{
	REQUIRE(read_original("split.ko"));
	make_copy();
	REQUIRE(!load_copy());
	REQUIRE(!unload_module(MODULE));
	make_copy();
	marked();
	logged("");
	REQUIRE(load_copy() == EINVAL);
	REQUIRE(logged("failed to validate module [kbtf_test] standalone BTF: -22"));
	return 0;
}

static int mutants(void)
{
	size_t wish_size;
	char *wish = (char *)read_whole(beside("mutants"), &wish_size);
	unsigned int count, at, loaded = 0, kinds[8] = { 0 };

	if (!wish)
		return skip("no file `mutants`");
	REQUIRE(sscanf(wish, "%u %u", &count, &seed) == 2 && seed);
	free(wish);
	REQUIRE(start());
	for (at = 0; at < count; at++) {
		uint32_t before = seed;
		int error;

		make_copy();
		mutate();
		error = load_copy();
		switch (error) {
		case 0:
			loaded++;
			if (unload_module(MODULE)) {
				note("mutant %u (seed %u) cannot be unloaded", at, before);
				return 1;
			}
			break;
		case EINVAL: kinds[0]++; break;
		case E2BIG: kinds[1]++; break;
		case ELOOP: kinds[2]++; break;
		case ENOTSUPP: kinds[3]++; break;
		case ENOEXEC: kinds[4]++; break;
		default:
			note("mutant %u (seed %u): errno %d", at, before, error);
			return 1;
		}
	}
	printf("# %u mutants: %u loaded; EINVAL %u, E2BIG %u, ELOOP %u, ENOTSUPP %u, ENOEXEC %u\n", count, loaded,
	       kinds[0], kinds[1], kinds[2], kinds[3], kinds[4]);
	REQUIRE(loaded > 0 && kinds[0] > 0);
	return 0;
}

static const struct point points[] = {
	{ "leaks_before", leaks_before },
	{ "single_faults", single_faults },
	{ "no_mercy", no_mercy },
	{ "lying_mark", lying_mark },
	{ "mutants", mutants },
	{ "no_leaks", no_leaks },
};

int main(void)
{
	return run_points(points, sizeof(points) / sizeof(*points), NULL);
}
