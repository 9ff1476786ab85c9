/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Loading modules, and what the kernel then shows of their BTF. */
#ifndef TESTS_MODULE_H
#define TESTS_MODULE_H

#include <stddef.h>

/* The name by which the kernel knows the module in a file: kbtf_test of .../kbtf-test.ko. */
void module_name(const char *path, char *name, size_t size);

/* MODULE_INIT_IGNORE_MODVERSIONS and _VERMAGIC: a module built for another kernel of the same series. */
#define ANY_BUILD	3

/* 0, or a negative errno. Flags are those of finit_module(2). */
int load_module(const char *path, int flags);
/* By name or file name; waits a while for what still uses it. */
int unload_module(const char *path);

/* A whole file, with a 0 behind it, for the caller to free; NULL with errno. */
unsigned char *read_whole(const char *path, size_t *size);
/* The content of a section; without it, NULL with errno ENOENT. */
unsigned char *read_section(const char *path, const char *section, size_t *size);

/*
 * How the BTF of a loaded module in /sys/kernel/btf is to the section .BTF of its file,
 * or to a file PATH.btf beside it, with what the kernel makes of that section: if there
 * is a kbtf as well, it compares their meaning if the bytes differ.
 */
enum seen_btf {
	BTF_SAME,
	BTF_ABSENT,	/* the kernel shows none */
	BTF_OTHER,	/* the kernel shows other bytes */
};
enum seen_btf compare_btf(const char *path);

#endif
