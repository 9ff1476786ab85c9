/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How a point of a test says that it failed, or was skipped. */
#ifndef REPORT_H
#define REPORT_H

#define FAILED	1

/* In a point: leaves it when the condition does not hold, and says where that was. */
#define REQUIRE(condition)							\
	do {									\
		if (!(condition))						\
			return failed(__FILE__, __LINE__, #condition);		\
	} while (0)

int failed(const char *file, int line, const char *condition);
/* Marks the point as skipped. */
int skip(const char *reason);
/* A line of diagnostics. */
__attribute__((format(printf, 1, 2))) void note(const char *format, ...);

/* A file in the directory of the program. The path stays valid until the next call. */
const char *beside(const char *name);

#endif
