// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * passed-on RELEASE BTF OBJECT OUT: writes to OUT the BTF that libbpf passes to a kernel of that release (as 6.1) when
 * it loads the BPF object. BTF is the kernel's own. No kernel is asked: system calls of libbpf end here, and the
 * answers to its probes are those of the release; nothing that the object declares has to be there. Exits with 3, and
 * libbpf's words, if it does not get that far.
 *
 * Linked with libbpf.a and -Wl,--wrap=syscall,--wrap=btf__load_vmlinux_btf,--wrap=__bpf_core_types_are_compat.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

static unsigned int release;
static const char *kernel_btf, *out;

static unsigned int version(unsigned int major, unsigned int minor) { return major << 8 | minor; }

/* Of the BTF of a probe, which has few types. */
static int is_known(const void *data, unsigned int size)
{
	struct btf *btf = btf__new(data, size);
	unsigned int id, known = 1;

	for (id = 1; btf && id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, type->name_off);

		switch (btf_kind(type)) {
		case BTF_KIND_FUNC:
			known &= !btf_vlen(type) || release >= version(5, 6);
			break;
		case BTF_KIND_FLOAT:
			known &= release >= version(5, 13);
			break;
		case BTF_KIND_DECL_TAG:
			known &= release >= version(5, 16);
			break;
		case BTF_KIND_TYPE_TAG:
			known &= release >= version(5, 17);
			break;
		case BTF_KIND_ENUM64:
			known &= release >= version(6, 0);
			break;
		case BTF_KIND_DATASEC:
			known &= *name != '?' || release >= version(6, 9);
			break;
		}
	}
	btf__free(btf);
	return known;
}

/* No probe of libbpf has more. */
#define MAX_PROBE 160

static long load_btf(const union bpf_attr *attr)
{
	const void *data = (const void *)(uintptr_t)attr->btf;

	if (attr->btf_size > MAX_PROBE) {
		FILE *file = fopen(out, "w");

		if (!file || fwrite(data, 1, attr->btf_size, file) != attr->btf_size || fclose(file))
			exit(1);
		exit(0);
	}
	if (!is_known(data, attr->btf_size)) {
		errno = EINVAL;
		return -1;
	}
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

long __wrap_syscall(long number, ...)
{
	const union bpf_attr *attr;
	va_list arguments;
	int command;

	if (number != SYS_bpf) {
		errno = ENOSYS;
		return -1;
	}
	va_start(arguments, number);
	command = va_arg(arguments, int);
	attr = va_arg(arguments, const union bpf_attr *);
	va_end(arguments);
	switch (command) {
	case BPF_BTF_LOAD:
		return load_btf(attr);
	case BPF_MAP_CREATE:
	case BPF_PROG_LOAD:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	case BPF_BTF_GET_NEXT_ID:
		errno = ENOENT;
		return -1;
	}
	return 0;
}

struct btf *__wrap_btf__load_vmlinux_btf(void)
{
	return btf__parse(kernel_btf, NULL);
}

/* Kfuncs may have any prototype. */
int __wrap___bpf_core_types_are_compat(const struct btf *local, __u32 local_id, const struct btf *other,
				       __u32 other_id, int level)
{
	(void)level;
	(void)local;
	(void)local_id;
	(void)other;
	(void)other_id;
	return 1;
}

/* The object, with what it declares weak: libbpf goes on without it. */
static void *weakened(const char *path, size_t *size)
{
	FILE *file = fopen(path, "r");
	unsigned char *bytes = NULL;
	const Elf64_Ehdr *header;
	const Elf64_Shdr *section;
	unsigned int i;

	if (!file || fseek(file, 0, SEEK_END))
		return NULL;
	*size = ftell(file);
	rewind(file);
	bytes = malloc(*size);
	if (!bytes || fread(bytes, 1, *size, file) != *size)
		return NULL;
	fclose(file);
	header = (const void *)bytes;
	section = (const void *)(bytes + header->e_shoff);
	for (i = 0; i < header->e_shnum; i++) {
		Elf64_Sym *symbol = (void *)(bytes + section[i].sh_offset);
		size_t left = section[i].sh_size / sizeof(*symbol);

		for (; section[i].sh_type == SHT_SYMTAB && left--; symbol++)
			if (symbol->st_shndx == SHN_UNDEF && ELF64_ST_BIND(symbol->st_info) == STB_GLOBAL)
				symbol->st_info = ELF64_ST_INFO(STB_WEAK, ELF64_ST_TYPE(symbol->st_info));
	}
	return bytes;
}

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_object_open_opts, options);
	struct bpf_object *object;
	unsigned int major, minor;
	size_t size;
	void *bytes;

	if (argc != 5 || sscanf(argv[1], "%u.%u", &major, &minor) != 2)
		return 2;
	release = version(major, minor);
	kernel_btf = argv[2];
	out = argv[4];
	options.kconfig = "CONFIG_BPF_SYSCALL=y\n";
	options.object_name = "object";
	bytes = weakened(argv[3], &size);
	if (!bytes)
		return 1;
	object = bpf_object__open_mem(bytes, size, &options);
	if (object)
		bpf_object__load(object);
	return 3;
}
