// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The first word of a command line came out of user memory; the keyring was found by the kernel's functions. */
#include "preload_test.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

/* As in sleepable.bpf.c. */
struct command {
	__u64 count;
	char first[32];
};

int trigger(void)
{
	__u64 looked_up, found, again, unreadable;
	struct bpf_map_info info = {};
	__u32 zero = 0, size = sizeof(info);
	struct command command;
	pid_t child;
	int fd;

	if (!has_bpf_lsm())
		return skip("bpf is not among the kernel's security modules (lsm=bpf)");
	child = fork();
	if (child == 0) {
		close(1);
		execl("/proc/self/exe", "first-word", "--help", NULL);
		_exit(1);
	}
	REQUIRE(waitpid(child, NULL, 0) == child);
	fd = map_fd("commands");
	REQUIRE(fd >= 0);
	REQUIRE(!bpf_map_lookup_elem(fd, &zero, &command));
	REQUIRE(command.count > 0);
	REQUIRE(!strcmp(command.first, "first-word"));
	/* To ask for a variable is to ask for a map, so both grow meanwhile. */
	REQUIRE(read_variable("found", &found, sizeof(found)) && found > 0);
	REQUIRE(!bpf_obj_get_info_by_fd(fd, &info, &size));
	close(fd);
	REQUIRE(read_variable("looked_up", &looked_up, sizeof(looked_up)) && looked_up > found);
	REQUIRE(read_variable("found", &again, sizeof(again)) && again > looked_up);
	REQUIRE(read_variable("unreadable", &unreadable, sizeof(unreadable)) && unreadable == 0);
	return 0;
}
