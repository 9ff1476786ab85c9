/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the tests of preloaded objects share: what is on the list, and how much of it is there. */
#ifndef PRELOADED_KEPT_H
#define PRELOADED_KEPT_H

#include "../tests/census.h"
#include "../tests/harness.h"
#include "../tests/module.h"

/* An object of the list that can be pinned, and its files. */
struct object {
	const char *name;
	const char *folder;
	const char *links[16];
	const char *maps[4];
};
extern const struct object objects[];
extern size_t nr_objects;

/* What else is on the list, and what the kernel says of it. */
struct failure {
	const char *name;
	const char *said;
};
extern const struct failure failures[];
extern const size_t nr_failures;

/* Of the first process, before it did anything. */
extern struct census at_start;
extern struct descriptors open_at_start;

bool mount_bpffs(const char *path);
/* How many names a directory has, or how many times this one; -1 if it cannot be read. */
int count_names(const char *path, const char *name);
/* All of the objects and nothing else, those that exist since before user space. */
int names_in(const char *root);
bool is_denied(long result);

/* All of the kernel's log. */
char *kernel_log(void);
int count(const char *text, const char *word);
/* Whether a file has a word. */
bool tells(const char *path, const char *word);
/* References to a module. */
int references(const char *module);

/* The points of the other files. */
int iterators(void);
int policy(void);
int events(void);
int guarded(void);

int rounds(void);
int removal(void);
int refused_pin(void);
int late(void);
int second_try(void);

int mount_namespace(void);
int user_namespace(void);

#endif
