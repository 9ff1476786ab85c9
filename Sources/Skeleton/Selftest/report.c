// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int failed(const char *file, int line, const char *condition)
{
	int error = errno;
	const char *name = strrchr(file, '/');

	note("%s:%d: not true: %s (errno %d, %s)", name ? name + 1 : file, line, condition, error,
	     strerror(error));
	return FAILED;
}

const char *beside(const char *name)
{
	static char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 256);
	char *slash;

	if (length < 0)
		return name;
	path[length] = 0;
	slash = strrchr(path, '/');
	snprintf(slash + 1, 255, "%s", name);
	return path;
}
