/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What there is of BPF in the kernel, and of descriptors in this process: for before and after. */
#ifndef TESTS_CENSUS_H
#define TESTS_CENSUS_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#define MAX_IDS		512
#define MAX_FDS		256

enum { PROGRAMS, MAPS, LINKS, BTFS, NR_SORTS };

/* The ids of all programs, maps, links and BTF objects; sorted, as the kernel gives them. */
struct census {
	__u32 ids[NR_SORTS][MAX_IDS];
	size_t count[NR_SORTS];
};

void take_census(struct census *census);
/* The same, once nothing changes any more: what was let go of before is not in it. */
void take_quiet_census(struct census *census);
/*
 * Waits until all is as it was: programs, maps and links are freed some time after
 * the last reference to them has gone. Notes what is not.
 */
bool settled(const struct census *before);

/* What this process has open: for each number below MAX_FDS what it leads to. */
struct descriptors {
	char target[MAX_FDS][64];
};

void take_descriptors(struct descriptors *open);
/* Is all open that was, and nothing else? Notes what differs. */
bool same_descriptors(const struct descriptors *before);

#endif
