// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * kbtf_test.ko beside this program has BTF for another kernel. The kernel must not
 * take it: it either refuses the module with it, or loads the module without.
 * The file `expected` says which: an errno's number, or 0.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness.h"
#include "module.h"

#define MODULE	"kbtf_test.ko"

static int refused(void)
{
	size_t size;
	unsigned char *expected = read_whole(beside("expected"), &size);
	int wanted, error;
	enum seen_btf seen;

	REQUIRE(expected);
	wanted = atoi((char *)expected);
	free(expected);
	error = -load_module(beside(MODULE), 0);
	seen = compare_btf(beside(MODULE));
	if (!error)
		unload_module(MODULE);
	note("finit_module: errno %d; expected %d", error, wanted);
	REQUIRE(seen == BTF_ABSENT);
	REQUIRE(error == wanted);
	return 0;
}

static const struct point points[] = {
	{ "btf_of_another_kernel", refused },
};

int main(void)
{
	return run_points(points, sizeof(points) / sizeof(*points), NULL);
}
