/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A guest test: a table of points, each a function that returns 0 or, by way of
 * REQUIRE(), leaves behind where it failed. Prints KTAP version 1.
 */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

struct point {
	const char *name;
	int (*run)(void);
};

#define FAILED		1
#define SKIPPED		2

/* In a point: leaves it when the condition does not hold, and says where that was. */
#define REQUIRE(condition)							\
	do {									\
		if (!(condition))						\
			return failed(__FILE__, __LINE__, #condition);		\
	} while (0)

int failed(const char *file, int line, const char *condition);
int skip(const char *reason);
/* A line of diagnostics, shown below the point if it fails. */
__attribute__((format(printf, 1, 2))) void note(const char *format, ...);

/*
 * Runs all points, in a child so that a crash is one more failure. With a module,
 * its file beside the program is loaded before and unloaded after; with a file
 * `other-build` there, whatever kernel it was built for. Returns the exit status.
 */
int run_points(const struct point *points, size_t count, const char *module);

/* A file in the directory of the program. The path stays valid until the next call. */
const char *beside(const char *name);

/* A BPF object in the program itself: EMBED(functions) in one place, object(functions) to use it. */
struct embedded {
	const char *name;
	const unsigned char *from;
	const unsigned char *to;
};

#define EMBED(object)								\
	__asm__(".pushsection .rodata\n"					\
		".balign 16\n"							\
		#object "_from: .incbin \"" #object ".bpf.o\"\n"		\
		#object "_to:\n"						\
		".popsection\n");						\
	extern const unsigned char object##_from[], object##_to[];		\
	static const struct embedded object = { #object, object##_from, object##_to }

/* Opened; NULL when it could not be. What was opened is closed after the point. */
struct bpf_object *opened(const struct embedded *object);
/* Opened and loaded. */
struct bpf_object *loaded(const struct embedded *object);
/* Of an opened object, only this program is to be loaded; false when there is none of the name. */
bool choose(struct bpf_object *object, const char *program);
/* Opened and loaded, with one program only. */
struct bpf_object *loaded_with(const struct embedded *object, const char *program);
/* The program with that name attached, in the way that its section tells. */
bool attached(struct bpf_object *object, const char *program);
/* The same for a link that the test made itself; false when it is none. */
bool keep(struct bpf_link *link);
int program_fd(struct bpf_object *object, const char *program);

/* A global variable of a loaded object, as a signed number; a wish outside of it ends the test. */
long long global(struct bpf_object *object, const char *name);
void set_global(struct bpf_object *object, const char *name, long long value);

/* Did the program run, and did all hold that it required? Notes the line if not. */
bool passed(struct bpf_object *object, const char *program);

/* Was it the verifier who refused it, saying this? To be asked after a load that failed. */
bool refused_saying(const char *text);

/* Runs a program of type tc on 64 bytes; its result, or a negative errno. */
int run_on_packet(int fd);

/* modules/kbtf_test: calls everything with this number. */
bool trigger(unsigned int number);

#endif
