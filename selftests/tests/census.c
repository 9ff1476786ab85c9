// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define _GNU_SOURCE
#include "census.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

#define SETTLE_TRIES	6000
#define SETTLE_PAUSE_MS	10
#define QUIET_MS	50
#define QUIET_TRIES	200

static const char *const sort_names[NR_SORTS] = { "programs", "maps", "links", "BTF objects" };
static int (*const next_id[NR_SORTS])(__u32, __u32 *) = {
	bpf_prog_get_next_id, bpf_map_get_next_id, bpf_link_get_next_id, bpf_btf_get_next_id,
};

void take_census(struct census *census)
{
	int sort;

	memset(census, 0, sizeof(*census));
	for (sort = 0; sort < NR_SORTS; sort++) {
		__u32 id = 0;

		while (census->count[sort] < MAX_IDS && !next_id[sort](id, &id))
			census->ids[sort][census->count[sort]++] = id;
	}
}

static bool same_census(const struct census *one, const struct census *other, bool tell)
{
	bool same = true;
	int sort;

	for (sort = 0; sort < NR_SORTS; sort++) {
		if (one->count[sort] == other->count[sort] &&
		    !memcmp(one->ids[sort], other->ids[sort], one->count[sort] * sizeof(__u32)))
			continue;
		same = false;
		if (tell)
			note("%s: %zu before, %zu after", sort_names[sort], one->count[sort],
			     other->count[sort]);
	}
	return same;
}

/* Is there still the map that a light skeleton's loader had? It goes last, some time after the load. */
static bool loader_left(const struct census *census)
{
	size_t at;

	for (at = 0; at < census->count[MAPS]; at++) {
		struct bpf_map_info info = {};
		__u32 size = sizeof(info);
		int fd = bpf_map_get_fd_by_id(census->ids[MAPS][at]);
		bool found;

		if (fd < 0)
			return true;
		found = bpf_obj_get_info_by_fd(fd, &info, &size) ||
			!strcmp(info.name, "__loader.map");
		close(fd);
		if (found)
			return true;
	}
	return false;
}

void take_quiet_census(struct census *census)
{
	const struct timespec pause = { .tv_nsec = QUIET_MS * 1000000L };
	static struct census now;
	int at;

	take_census(census);
	for (at = 0; at < QUIET_TRIES; at++) {
		nanosleep(&pause, NULL);
		take_census(&now);
		if (same_census(census, &now, false) && !loader_left(&now))
			return;
		*census = now;
	}
}

bool settled(const struct census *before)
{
	const struct timespec pause = { .tv_nsec = SETTLE_PAUSE_MS * 1000000L };
	static struct census now;
	int at;

	for (at = 0; at < SETTLE_TRIES; at++) {
		take_census(&now);
		if (same_census(before, &now, false))
			return true;
		nanosleep(&pause, NULL);
	}
	return same_census(before, &now, true);
}

void take_descriptors(struct descriptors *open)
{
	char path[32];
	int fd;

	memset(open, 0, sizeof(*open));
	for (fd = 0; fd < MAX_FDS; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, open->target[fd], sizeof(open->target[fd]) - 1) < 0)
			open->target[fd][0] = 0;
	}
}

bool same_descriptors(const struct descriptors *before)
{
	static struct descriptors now;
	bool same = true;
	int fd;

	take_descriptors(&now);
	for (fd = 0; fd < MAX_FDS; fd++) {
		if (!strcmp(before->target[fd], now.target[fd]))
			continue;
		same = false;
		note("fd %d was '%s', is '%s'", fd, before->target[fd], now.target[fd]);
	}
	return same;
}
