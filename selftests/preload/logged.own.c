// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Of the programs of `iterators`, the one that was made with LOG_LEVEL has a log, and the BTF. */
#include "preload_test.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* How many of the kernel's lines since it started have this text. */
static int lines_with(const char *text)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK), count = 0;
	char line[8192];
	ssize_t length;

	while (fd >= 0 && (length = read(fd, line, sizeof(line) - 1)) > 0) {
		line[length] = 0;
		count += strstr(line, text) != NULL;
	}
	if (fd >= 0)
		close(fd);
	return count;
}

int trigger(void)
{
	/* The last line of the verifier's log, and one of each instruction. */
	REQUIRE(lines_with(";logged: list_maps: processed ") == 1);
	REQUIRE(lines_with(";logged: list_maps: ") > 3);
	/* A type, and the header's line. */
	REQUIRE(lines_with(";logged: BTF: ") > 3);
	REQUIRE(lines_with(";logged: list_progs: ") == 0);
	REQUIRE(lines_with(";logged: no log") == 0);
	return 0;
}
