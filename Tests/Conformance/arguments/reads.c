// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Loads arguments.ko, which is beside this program, attaches to each of its functions that is in its BTF a program that
 * reads all words of its arguments, has it called, and prints the words. Without libraries, for machines whose libbpf
 * this one does not have.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/btf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loaded_btf.h"

#define MODULE		"arguments"
#define MOST_WORDS	24

struct btf_file {
	char *bytes;
	const struct btf_header *header;
};

/* A file of sysfs, whole: what stat says is its size. */
static int read_btf(const char *path, struct btf_file *file)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = 0, part;

	if (fd < 0 || fstat(fd, &status))
		return -1;
	file->bytes = malloc(status.st_size);
	while (length < status.st_size && (part = read(fd, file->bytes + length, status.st_size - length)) > 0)
		length += part;
	close(fd);
	file->header = (const struct btf_header *)file->bytes;
	return length == status.st_size ? 0 : -1;
}

static size_t record_size(const struct btf_type *type)
{
	size_t count = BTF_INFO_VLEN(type->info), size = sizeof(*type);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return size + 4;
	case BTF_KIND_ARRAY:
		return size + sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_DATASEC:
	case BTF_KIND_ENUM64:
		return size + count * 12;
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return size + count * 8;
	default:
		return size;
	}
}

static const struct btf_type *first(const struct btf_file *file)
{
	return (const void *)(file->bytes + file->header->hdr_len + file->header->type_off);
}

static const struct btf_type *after(const struct btf_type *type)
{
	return (const void *)((const char *)type + record_size(type));
}

static const void *end(const struct btf_file *file)
{
	return (const char *)first(file) + file->header->type_len;
}

/* An array with one element: MOST_WORDS words. */
static int new_map(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = 8 * MOST_WORDS;
	attr.max_entries = 1;
	return bpf(BPF_MAP_CREATE, &attr);
}

static char log_buffer[1 << 14];

/* A program that copies the words in the set `words` to the map. */
static int load(unsigned int id, int btf, int map, unsigned int words)
{
	struct bpf_insn code[2 * MOST_WORDS + 8], *next = code;
	union bpf_attr attr;
	int i;

	*next++ = (struct bpf_insn){
		.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 2, .src_reg = BPF_PSEUDO_MAP_VALUE, .imm = map };
	*next++ = (struct bpf_insn){ 0 };
	for (i = 0; i < MOST_WORDS; i++) {
		if (!(words & 1u << i))
			continue;
		*next++ = (struct bpf_insn){
			.code = BPF_LDX | BPF_DW | BPF_MEM, .dst_reg = 3, .src_reg = 1, .off = 8 * i };
		*next++ = (struct bpf_insn){
			.code = BPF_STX | BPF_DW | BPF_MEM, .dst_reg = 2, .src_reg = 3, .off = 8 * i };
	}
	*next++ = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K };
	*next++ = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_TRACING;
	attr.expected_attach_type = BPF_TRACE_FENTRY;
	attr.insns = (unsigned long)code;
	attr.insn_cnt = next - code;
	attr.license = (unsigned long)"GPL";
	attr.attach_btf_id = id;
	attr.attach_btf_obj_fd = btf;
	log_buffer[0] = 0;
	attr.log_buf = (unsigned long)log_buffer;
	attr.log_size = sizeof(log_buffer);
	attr.log_level = 1;
	return bpf(BPF_PROG_LOAD, &attr);
}

static int call(const char *number)
{
	int fd = open("/sys/module/" MODULE "/parameters/call", O_WRONLY | O_CLOEXEC), bad;

	if (fd < 0)
		return -1;
	bad = write(fd, number, strlen(number)) < 0;
	close(fd);
	return bad ? -1 : 0;
}

/* The words that the verifier lets programs read. */
static unsigned int readable(unsigned int id, int btf, int map)
{
	unsigned int words = 0, i;

	for (i = 0; i < MOST_WORDS; i++) {
		int program = load(id, btf, map, 1u << i);

		if (program < 0)
			continue;
		words |= 1u << i;
		close(program);
	}
	return words;
}

/* One line: "read NAME WORD...", with - for a word that cannot be read; "refused NAME ERRNO LOG"; "lost NAME ERRNO". */
static int one_function(const char *name, unsigned int id, int btf, int map)
{
	unsigned long long values[MOST_WORDS] = { 0 };
	unsigned int zero = 0, words = readable(id, btf, map), i;
	union bpf_attr attr;
	int program, link, bad = 0;

	program = load(id, btf, map, words);
	if (program < 0) {
		log_buffer[strcspn(log_buffer, "\n")] = 0;
		printf("# refused %s %d %.120s\n", name, errno, log_buffer);
		return 0;
	}
	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.prog_fd = program;
	link = bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);
	if (link < 0) {
		printf("# refused %s %d when attaching\n", name, errno);
		close(program);
		return 0;
	}
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = map;
	attr.key = (unsigned long)&zero;
	attr.value = (unsigned long)values;
	if (bpf(BPF_MAP_UPDATE_ELEM, &attr) || call(strrchr(name, '_') + 1) || bpf(BPF_MAP_LOOKUP_ELEM, &attr)) {
		printf("# lost %s %d\n", name, errno);
		bad = 1;
	} else {
		printf("# read %s", name);
		for (i = 0; i < MOST_WORDS; i++) {
			if (words & 1u << i)
				printf(" %016llx", values[i]);
			else
				printf(" -");
		}
		printf("\n");
	}
	close(link);
	close(program);
	return bad;
}

static int all_functions(void)
{
	struct btf_file kernel, module;
	const struct btf_type *type;
	unsigned int id = 1, strings;
	int btf = module_btf(MODULE), map = new_map(), bad = 0;

	if (btf < 0 || map < 0 || read_btf("/sys/kernel/btf/vmlinux", &kernel) ||
	    read_btf("/sys/kernel/btf/" MODULE, &module)) {
		printf("# no BTF, or no map: %s\n", strerror(errno));
		return 1;
	}
	for (type = first(&kernel); (const void *)type < end(&kernel); type = after(type))
		id++;
	strings = kernel.header->str_len;
	for (type = first(&module); (const void *)type < end(&module); type = after(type), id++) {
		const char *name;

		if (BTF_INFO_KIND(type->info) != BTF_KIND_FUNC || type->name_off < strings)
			continue;
		name = module.bytes + module.header->hdr_len + module.header->str_off + type->name_off - strings;
		if (!strncmp(name, "arguments_", 10))
			bad |= one_function(name, id, btf, map);
	}
	return bad;
}

int main(void)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 32);
	int fd, bad;

	if (length < 0)
		return 1;
	path[length] = 0;
	dirname(path);
	strcat(path, "/" MODULE ".ko");
	printf("KTAP version 1\n1..1\n");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	bad = fd < 0 || syscall(SYS_finit_module, fd, "", 0);
	if (bad)
		printf("# %s: %s\n", path, strerror(errno));
	else
		bad = all_functions();
	printf("%sok 1 reads\n", bad ? "not " : "");
	return bad;
}
