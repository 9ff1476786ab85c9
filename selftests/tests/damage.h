/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Damaged copies of a module with standalone BTF. */
#ifndef TESTS_DAMAGE_H
#define TESTS_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODULE		"kbtf_test.ko"
/* The kernel's own, which no header of the C library has. */
#define ENOTSUPP	524

/* The copy, as large as the module. */
extern unsigned char *copy;
extern size_t size;

/* Reads the module, from the file beside this program. */
bool read_original(const char *file);
/* The copy is as the module again. */
void make_copy(void);

/* What is changed in a copy, the errno, and whether the log then says that it was taken for standalone BTF. */
struct damage {
	const char *name;
	void (*make)(void);
	int error;
	/* Or it stops the search for int, and is refused in split BTF as well. */
	enum { NO, YES, EITHER } as_standalone;
	/* Other BTF is shown than that of the module. */
	bool differs;
};
extern const struct damage damages[];
extern const size_t nr_damages;

/* Marks as standalone BTF; the others contradict the file. */
void marked(void);
void marked_and_distilled(void);
void marked_without_empty_string(void);

/* Where the next random number comes from; not 0. */
extern uint32_t seed;
/* One to four changes at random. */
void mutate(void);

#endif
