// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A map that is made meanwhile, and a program that is loaded, have their lines. */
#include "preload_test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

static bool shows(const char *program, __u32 id, const char *name)
{
	int link = link_fd(program), fd = bpf_iter_create(link);
	FILE *lines = fd >= 0 ? fdopen(fd, "r") : NULL;
	char line[256], found[64];
	bool seen = false;
	unsigned int number;

	close(link);
	while (lines && fgets(line, sizeof(line), lines))
		if (sscanf(line, "%u %63s", &number, found) == 2)
			seen |= number == id && !strcmp(found, name);
	if (lines)
		fclose(lines);
	return seen;
}

int trigger(void)
{
	struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_prog_info program_info = {};
	struct bpf_map_info map_info = {};
	__u32 size = sizeof(map_info);
	int map, program;

	map = bpf_map_create(BPF_MAP_TYPE_HASH, "seen_by_all", 4, 4, 7, NULL);
	REQUIRE(map >= 0 && !bpf_obj_get_info_by_fd(map, &map_info, &size));
	REQUIRE(shows("list_maps", map_info.id, "seen_by_all"));
	REQUIRE(!shows("list_maps", map_info.id + 1, "seen_by_all"));
	close(map);
	program = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "seen_too", "GPL", nothing, 2, NULL);
	size = sizeof(program_info);
	REQUIRE(program >= 0 && !bpf_obj_get_info_by_fd(program, &program_info, &size));
	REQUIRE(shows("list_progs", program_info.id, "seen_too"));
	close(program);
	return 0;
}
