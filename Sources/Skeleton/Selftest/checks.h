/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Shared by the files of the test, but not meant for own.c. */
#ifndef CHECKS_H
#define CHECKS_H

#include <stdarg.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "preload_test.h"

/* The kernel shows no more bytes of a name. */
#define SHOWN		(BPF_OBJ_NAME_LEN - 1)
#define MAX_IDS		4096

extern struct module *under_test;
/* From the command line. */
extern const char *custom_btf;
extern int log_level, btf_log_level;
/* Of one program; false if there is none with that name. */
bool set_log_level(const char *name, size_t length, int level);
bool has_log_levels(void);

/* ktap.c */
int finish(const char *what, const char *name, int result);
void forget_skip(void);
void print_lines(char *text);

/* kernel.c */
enum sort { PROGRAMS, MAPS, LINKS, NR_SORTS };

struct census {
	__u32 ids[NR_SORTS][MAX_IDS];
	size_t count[NR_SORTS];
};

/* Before and while the module is loaded. */
extern struct census before, during;

void take_census(struct census *census);
bool has(const struct census *census, enum sort sort, __u32 id);
size_t newer(const struct census *one, const struct census *other, enum sort sort);
bool settled(struct census *now, const size_t *expected);
/* The number of objects of each sort in the module. */
void expect(size_t *expected);
int count_descriptors(void);
bool program_info(__u32 id, struct bpf_prog_info *info);
char *whole_map(const struct map *map, int fd);

/* object.c */
int print_message(enum libbpf_print_level level, const char *format, va_list arguments);
int object_loads(void);
int check_contents(void);

/* helpers.c */
/* Which helper the kernel does not let a program call, in its words; NULL if there is none. */
const char *lacking_helper(void);

/* holdings.c */
int check_programs(void);
int check_maps(void);
int check_links(void);

/* pins.c */
bool has_preload_list(void);
/* The kernel keeps what it has pinned, and the module: it has a mount of its own. */
extern bool kept;
int check_pinned(void);
int check_published(void);

/* runs.c */
int read_all(int fd);
int check_runs(const struct program *program, int denials);
int check_records(const struct map *map);

#endif
