// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Whether the kernel has the helpers that programs call. */
#define _GNU_SOURCE
#include "checks.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/*
 * A program that is nothing but the call, where the real one attaches: libbpf's own probe does
 * not cover types that need a target. Whatever else is wrong with it, the verifier looks for
 * the helper first.
 */
static const char *refusal(const struct program *program, int helper)
{
	static const char *const words[] = {
		"invalid func ", "unknown func ", "program of this type cannot use helper ",
	};
	static char log[65536];
	struct bpf_insn code[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = helper },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = program->attach_type,
		    .log_buf = log, .log_size = sizeof(log), .log_level = 1);
	size_t at;
	int fd;

	if (program->type == BPF_PROG_TYPE_TRACING || program->type == BPF_PROG_TYPE_LSM) {
		int id = libbpf_find_vmlinux_btf_id(program->target, program->attach_type);

		if (id <= 0)
			return NULL;
		options.attach_btf_id = id;
	}
	if (strstr(program->section, ".s/"))
		options.prog_flags = BPF_F_SLEEPABLE;
	log[0] = 0;
	fd = bpf_prog_load(program->type, NULL, "GPL", code, sizeof(code) / sizeof(*code), &options);
	if (fd >= 0)
		close(fd);
	for (at = 0; fd < 0 && at < sizeof(words) / sizeof(*words); at++) {
		char *found = strstr(log, words[at]);

		if (!found)
			continue;
		found[strcspn(found, "\n")] = 0;
		return found;
	}
	return NULL;
}

const char *lacking_helper(void)
{
	static char reason[256];
	size_t at;

	for (at = 0; at < under_test->nr_programs; at++) {
		const struct program *program = &under_test->programs[at];
		const int *helper;

		for (helper = program->helpers; helper && *helper; helper++) {
			const char *why = refusal(program, *helper);

			if (!why)
				continue;
			snprintf(reason, sizeof(reason), "this kernel says of %s: %s", program->name, why);
			return reason;
		}
	}
	return NULL;
}
