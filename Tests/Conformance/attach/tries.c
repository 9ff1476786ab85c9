// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Asks the running kernel what attach.py predicted: loads a program for each line of the file `tries` beside this
 * program, attaches it, and prints what differs. The fields of a line, separated by tabs: BTF id, way, errno of the
 * load (0: loaded), errno of the attachment (-1: not tried), module (empty: the kernel), name, what the verifier's log
 * has to contain (may be empty).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loaded_btf.h"

#define MAX_PRINTED 500

static const struct way {
	const char *name;
	unsigned int type, attach;
} ways[] = {
	{ "fentry", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY },
	{ "fexit", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT },
	{ "fmod_ret", BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN },
	{ "lsm", BPF_PROG_TYPE_LSM, BPF_LSM_MAC },
	{ "tp_btf", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP },
	{ "iter", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER },
	{ "freplace", BPF_PROG_TYPE_EXT, 0 },
};

static char log_buffer[1 << 16];

/* The BTF of a loaded module; 0 for the kernel's. */
static int btf_of(const char *module)
{
	static char known[64];
	static int fd;

	if (!*module)
		return 0;
	if (strcmp(known, module)) {
		fd = module_btf(module);
		snprintf(known, sizeof(known), "%s", fd < 0 ? "" : module);
	}
	return fd;
}

static int load(const struct way *way, unsigned int id, int btf, int with_log, int sleepable)
{
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = way->type;
	attr.expected_attach_type = way->attach;
	attr.insns = (unsigned long)code;
	attr.insn_cnt = 2;
	attr.license = (unsigned long)"GPL";
	attr.attach_btf_id = id;
	attr.attach_btf_obj_fd = btf;
	if (sleepable)
		attr.prog_flags = BPF_F_SLEEPABLE;
	if (with_log) {
		log_buffer[0] = 0;
		attr.log_buf = (unsigned long)log_buffer;
		attr.log_size = sizeof(log_buffer);
		attr.log_level = 1;
	}
	fd = bpf(BPF_PROG_LOAD, &attr);
	return fd < 0 ? -errno : fd;
}

static int attach(const struct way *way, int program)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	if (way->attach == BPF_TRACE_ITER) {
		attr.link_create.prog_fd = program;
		attr.link_create.attach_type = BPF_TRACE_ITER;
		fd = bpf(BPF_LINK_CREATE, &attr);
	} else {
		attr.raw_tracepoint.prog_fd = program;
		fd = bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);
	}
	return fd < 0 ? -errno : fd;
}

static unsigned int tried, loads, attachments, wrong;

static void complain(const char *way, const char *name, const char *what, int expected, int found)
{
	if (wrong++ < MAX_PRINTED)
		printf("# differs: %s %s: %s: predicted %d, kernel %d\n", way, name, what, expected, found);
}

static void try(char *line)
{
	char *field[7];
	const struct way *way = NULL;
	unsigned int i;
	int program, link, expected, sleepable = 0;
	size_t length;

	line[strcspn(line, "\n")] = 0;
	for (i = 0; i < 7; i++)
		field[i] = strsep(&line, "\t");
	if (!field[6])
		return;
	length = strlen(field[1]);
	if (length > 2 && !strcmp(field[1] + length - 2, ".s")) {
		sleepable = 1;
		field[1][length - 2] = 0;
	}
	for (i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(ways[i].name, field[1]))
			way = &ways[i];
	if (!way)
		return;
	tried++;
	i = strtoul(field[0], NULL, 10);
	expected = -atoi(field[2]);
	program = load(way, i, btf_of(field[4]), 0, sleepable);
	loads++;
	if ((program < 0 ? program : 0) != expected) {
		complain(field[1], field[5], "load", expected, program < 0 ? program : 0);
		if (program >= 0)
			close(program);
		return;
	}
	if (program < 0) {
		if (*field[6]) {
			load(way, i, btf_of(field[4]), 1, sleepable);
			if (!strstr(log_buffer, field[6])) {
				complain(field[1], field[5], "words", 0, 0);
				printf("# log: %.200s\n", log_buffer);
			}
		}
		return;
	}
	if (strcmp(field[3], "-1")) {
		attachments++;
		expected = -atoi(field[3]);
		link = attach(way, program);
		if ((link < 0 ? link : 0) != expected)
			complain(field[1], field[5], "attach", expected, link < 0 ? link : 0);
		if (link >= 0)
			close(link);
	}
	close(program);
}

int main(int argc, char **argv)
{
	char path[4096], *line = NULL;
	size_t size = 0;
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 8);
	FILE *file;

	(void)argc;
	(void)argv;
	if (length < 0)
		return 1;
	path[length] = 0;
	dirname(path);
	strcat(path, "/tries");
	file = fopen(path, "r");
	printf("KTAP version 1\n1..1\n");
	if (!file) {
		printf("not ok 1 tries\n");
		return 1;
	}
	while (getline(&line, &size, file) >= 0)
		try(line);
	printf("# tried %u: %u loads, %u attachments, %u differ\n", tried, loads, attachments, wrong);
	printf("%sok 1 tries\n", wrong ? "not " : "");
	return wrong != 0;
}
