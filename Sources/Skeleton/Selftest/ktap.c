// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Output: points and diagnostic lines. */
#include "checks.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *skip_reason;
static int nr_points;

__attribute__((format(printf, 1, 2))) void note(const char *format, ...)
{
	va_list arguments;

	printf("# ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

int failed(const char *file, int line, const char *condition)
{
	int error = errno;
	const char *name = strrchr(file, '/');

	note("%s:%d: not true: %s (errno %d, %s)", name ? name + 1 : file, line, condition, error,
	     strerror(error));
	return FAILED;
}

int skip(const char *reason)
{
	skip_reason = reason;
	return 0;
}

int finish(const char *what, const char *name, int result)
{
	nr_points++;
	if (result)
		printf("not ok %d %s%s%s\n", nr_points, what, *name ? " " : "", name);
	else if (skip_reason)
		printf("ok %d %s%s%s # SKIP %s\n", nr_points, what, *name ? " " : "", name, skip_reason);
	else
		printf("ok %d %s%s%s\n", nr_points, what, *name ? " " : "", name);
	fflush(stdout);
	skip_reason = NULL;
	return result;
}

void print_lines(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		if (*line)
			note("%s", line);
}

void forget_skip(void)
{
	skip_reason = NULL;
}
