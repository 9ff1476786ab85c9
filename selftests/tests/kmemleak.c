// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "harness.h"
#include "kmemleak.h"
#include "module.h"

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

static bool kmemleak(const char *command)
{
	int fd = open(KMEMLEAK, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, command, strlen(command)) == (ssize_t)strlen(command);

	if (fd >= 0)
		close(fd);
	return done;
}

/* What leaks while the kernel starts is not ours. */
int leaks_before(void)
{
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	if (access(KMEMLEAK, F_OK))
		return skip("the kernel has no kmemleak");
	sleep(6);
	REQUIRE(kmemleak("scan") && kmemleak("scan") && kmemleak("clear"));
	return 0;
}

/* Young objects do not count, and an object may be pointed to by chance: scanned twice. */
int no_leaks(void)
{
	unsigned char *found;
	size_t length;

	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	if (access(KMEMLEAK, F_OK))
		return skip("the kernel has no kmemleak");
	sleep(6);
	REQUIRE(kmemleak("scan") && kmemleak("scan"));
	found = read_whole(KMEMLEAK, &length);
	REQUIRE(found);
	if (length)
		note("%.2000s", found);
	REQUIRE(!length);
	free(found);
	return 0;
}
