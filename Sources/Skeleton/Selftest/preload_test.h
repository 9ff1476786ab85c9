/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The test of a preload module. NAME_test.c describes the module's contents,
 * preload_test.c has the points in order, activity.c triggers programs.
 * own.c, if you write one, is yours: kbtf never overwrites it.
 */
#ifndef PRELOAD_TEST_H
#define PRELOAD_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "report.h"

enum mode {
	MODE_ATTACH,		/* programs are removed with the module */
	MODE_STAY_LINKS,	/* links keep programs */
	MODE_STAY_MODULE,	/* the module cannot be unloaded */
	MODE_PRELOAD,		/* as MODE_ATTACH, unless the kernel has a preload list */
};

enum link {
	LINK_NONE,
	LINK_RAW_TRACEPOINT,
	LINK_TRACING,
	LINK_ITERATOR,
};

struct program {
	const char *name;	/* the function's; the kernel shows 15 bytes of it */
	__u32 type;
	__u32 attach_type;
	enum link link;
	const char *section;
	const char *target;	/* the attach target in the section name */
	const int *helpers;	/* that it may call, up to a 0; or NULL */
	__u32 id;		/* from here on: while the module is loaded */
	__u32 link_id;
};

struct map {
	const char *name;
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 flags;
	bool internal;
	__u32 id;
};

struct module {
	const char *name;
	const char *file;
	const char *object;	/* the BPF object beside the program, or NULL */
	const char *object_name;
	enum mode mode;
	struct program *programs;
	size_t nr_programs;
	struct map *maps;
	size_t nr_maps;
	const char *const *published;
	size_t nr_published;
};

/* Runs all points and prints KTAP; returns the exit status. */
int test_module(struct module *module, int argc, char **argv);

/*
 * For own.c. trigger() is called while the module is loaded: it triggers programs
 * that activity.c does not reach, and may check what they did. Returns 0 or FAILED, as
 * REQUIRE() does, or the result of skip().
 */
int trigger(void);

/* New descriptors; negative on failure. */
int program_fd(const char *name);
int link_fd(const char *name);
int map_fd(const char *name);
/* How often the program ran since the module was loaded. */
unsigned long long runs(const char *name);
/* A variable of the object by name, including static ones; false if there is none of that size. */
bool read_variable(const char *name, void *bytes, size_t size);
bool write_variable(const char *name, const void *bytes, size_t size);
/* Whether the kernel runs LSM programs, because it was booted with lsm=bpf. */
bool has_bpf_lsm(void);

#endif
