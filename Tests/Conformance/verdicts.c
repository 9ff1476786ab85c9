// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The init of a guest that gives the kernel each BTF of the file /cases (see
 * kbtf-conformance/VerdictCasesCommand.swift), and prints its answers on the second serial line:
 *
 *	NUMBER ERRNO|taken|absent LOG
 *
 * A module's BTF replaces that of /template.ko; /name has its name. `absent`: the
 * module was loaded without its BTF. Of a program's log, the last type and the last line; of the
 * kernel's, all lines about BTF. Line ends are `|`.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#define LOG_SIZE	(16 << 20)

static unsigned char *template;
static size_t template_size;
static char module_name[64];
static char *log_buffer;
static int kmsg;

static unsigned char *read_file(const char *path, size_t *size)
{
	struct stat status;
	unsigned char *bytes;
	int fd = open(path, O_RDONLY);
	size_t at = 0;

	if (fd < 0 || fstat(fd, &status))
		return NULL;
	bytes = malloc(status.st_size + 1);
	while (bytes && at < (size_t)status.st_size) {
		ssize_t got = read(fd, bytes + at, status.st_size - at);

		if (got <= 0)
			return NULL;
		at += got;
	}
	close(fd);
	*size = at;
	return bytes;
}

static const char *next_line(const char *at)
{
	at += strcspn(at, "\n");
	return *at ? at + 1 : at;
}

static void print_line(const char *text)
{
	for (; *text && *text != '\n'; text++) {
		unsigned char byte = *text;

		if (byte < 0x20 || byte > 0x7e || byte == '\\' || byte == '|')
			printf("\\x%02x", byte);
		else
			putchar(byte);
	}
	putchar('|');
}

static void ask_program(unsigned int number, unsigned char *btf, uint32_t size)
{
	union bpf_attr attr;
	const char *type = NULL, *last = log_buffer;
	int fd, error;

	memset(&attr, 0, sizeof(attr));
	memset(log_buffer, 0, 64);
	attr.btf = (uintptr_t)btf;
	attr.btf_size = size;
	attr.btf_log_buf = (uintptr_t)log_buffer;
	attr.btf_log_size = LOG_SIZE;
	attr.btf_log_level = 1;
	/* Up to btf_log_level: what all kernels know. */
	fd = syscall(SYS_bpf, BPF_BTF_LOAD, &attr, 28);
	error = errno;
	if (fd >= 0) {
		close(fd);
		printf("%u taken\n", number);
		return;
	}
	/* The last line that begins with a type, and the last of all; a struct may have thousands between. */
	for (const char *at = log_buffer; *at; at = next_line(at)) {
		if (*at == '[')
			type = at;
		last = at;
	}
	printf("%u %d ", number, error);
	if (type && type != last)
		print_line(type);
	print_line(last);
	putchar('\n');
}

static void skip_kernel_log(void)
{
	lseek(kmsg, 0, SEEK_END);
}

static void print_kernel_log(void)
{
	char record[8192];
	ssize_t got;

	while ((got = read(kmsg, record, sizeof(record) - 1)) > 0 || (got < 0 && errno == EPIPE)) {
		char *text, *end;

		if (got < 0)
			continue;
		record[got] = 0;
		text = strchr(record, ';');
		if (!text++)
			continue;
		end = strchr(text, '\n');
		if (end)
			*end = 0;
		if (strstr(text, "kbtf: ") || strstr(text, "taint") || strstr(text, "signature"))
			continue;
		/* Escaped already, but for this. */
		for (; *text; text++)
			if (*text == '|')
				fputs("\\x7c", stdout);
			else
				putchar(*text);
		putchar('|');
	}
}

static Elf64_Shdr *section(unsigned char *elf, const char *name)
{
	Elf64_Ehdr *header = (Elf64_Ehdr *)elf;
	Elf64_Shdr *sections = (Elf64_Shdr *)(elf + header->e_shoff);
	const char *names = (char *)elf + sections[header->e_shstrndx].sh_offset;
	int at;

	for (at = 1; at < header->e_shnum; at++)
		if (!strcmp(names + sections[at].sh_name, name))
			return &sections[at];
	fprintf(stderr, "template.ko: no section %s\n", name);
	exit(1);
}

static void ask_module(unsigned int number, unsigned char *btf, uint32_t size, uint32_t base_size)
{
	static unsigned char *copy;
	static size_t room;
	size_t whole = template_size + size + base_size;
	char path[128];
	Elf64_Shdr *header;
	int error;

	if (room < whole) {
		room = whole * 2;
		copy = realloc(copy, room);
	}
	memcpy(copy, template, template_size);
	memcpy(copy + template_size, btf, size + base_size);
	header = section(copy, ".BTF");
	header->sh_offset = template_size;
	header->sh_size = size;
	header = section(copy, ".BTF.base");
	header->sh_offset = template_size + size;
	header->sh_size = base_size;
	if (!base_size) {
		header->sh_name = 0;
		header->sh_offset = 0;
	}
	skip_kernel_log();
	error = syscall(SYS_init_module, copy, whole, "") ? errno : 0;
	snprintf(path, sizeof(path), "/sys/kernel/btf/%s", module_name);
	if (error)
		printf("%u %d ", number, error);
	else
		printf("%u %s ", number, access(path, F_OK) ? "absent" : "taken");
	print_kernel_log();
	putchar('\n');
	if (!error)
		while (syscall(SYS_delete_module, module_name, O_NONBLOCK) && errno != ENOENT)
			usleep(1000);
}

static void ask_all(unsigned char *cases, size_t size)
{
	unsigned int number = 0;
	size_t at = 0;

	for (; at + 9 <= size; number++) {
		uint32_t length, base;
		unsigned char way = cases[at];

		memcpy(&length, cases + at + 1, 4);
		memcpy(&base, cases + at + 5, 4);
		at += 9;
		if (way == 0)
			ask_program(number, cases + at, length);
		else if (way == 1)
			ask_module(number, cases + at, length, base);
		at += (size_t)length + base;
	}
}

int main(void)
{
	unsigned char *cases, *name;
	size_t size = 0, name_size = 0;

	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	if (!freopen("/dev/ttyS1", "w", stdout))
		return 1;
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	cases = read_file("/cases", &size);
	name = read_file("/name", &name_size);
	template = read_file("/template.ko", &template_size);
	log_buffer = malloc(LOG_SIZE);
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (cases && name && template && log_buffer && kmsg >= 0) {
		snprintf(module_name, sizeof(module_name), "%.*s", (int)name_size, name);
		module_name[strcspn(module_name, "\n")] = 0;
		ask_all(cases, size);
		printf("end\n");
	}
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 0;
}
