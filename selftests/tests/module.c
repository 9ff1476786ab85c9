// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define _GNU_SOURCE
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <gelf.h>

#define UNLOAD_TRIES	600
#define UNLOAD_PAUSE_MS	100

void module_name(const char *path, char *name, size_t size)
{
	const char *slash = strrchr(path, '/');
	char *at;

	snprintf(name, size, "%s", slash ? slash + 1 : path);
	name[strcspn(name, ".")] = 0;
	for (at = name; *at; at++)
		if (*at == '-')
			*at = '_';
}

int load_module(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, "", flags))
		error = -errno;
	close(fd);
	return error;
}

int unload_module(const char *path)
{
	const struct timespec pause = { .tv_nsec = UNLOAD_PAUSE_MS * 1000000L };
	char name[256];
	int at;

	module_name(path, name, sizeof(name));
	/* Programs are freed some time after their last descriptor is closed. */
	for (at = 0; at < UNLOAD_TRIES; at++) {
		if (!syscall(SYS_delete_module, name, O_NONBLOCK))
			return 0;
		if (errno != EAGAIN && errno != EBUSY)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

unsigned char *read_whole(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t room = 1 << 16;
	unsigned char *content = malloc(room);
	ssize_t got = -1;

	*size = 0;
	while (fd >= 0 && content) {
		got = read(fd, content + *size, room - *size);
		if (got <= 0)
			break;
		*size += got;
		if (*size == room) {
			unsigned char *larger = realloc(content, room *= 2);

			if (!larger) {
				got = -1;
				break;
			}
			content = larger;
		}
	}
	if (fd >= 0)
		close(fd);
	if (got < 0) {
		free(content);
		return NULL;
	}
	content[*size] = 0;
	return content;
}

unsigned char *read_section(const char *path, const char *section, size_t *size)
{
	unsigned char *content = NULL;
	Elf_Scn *at = NULL;
	size_t names;
	GElf_Shdr header;
	Elf *elf;
	int fd;

	elf_version(EV_CURRENT);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	errno = ENOENT;
	if (elf && !elf_getshdrstrndx(elf, &names)) {
		while ((at = elf_nextscn(elf, at))) {
			const char *name;
			Elf_Data *data;

			if (!gelf_getshdr(at, &header))
				continue;
			name = elf_strptr(elf, names, header.sh_name);
			if (!name || strcmp(name, section))
				continue;
			data = elf_rawdata(at, NULL);
			content = data ? malloc(data->d_size + 1) : NULL;
			if (content) {
				memcpy(content, data->d_buf, data->d_size);
				*size = data->d_size;
			}
			break;
		}
	}
	elf_end(elf);
	close(fd);
	return content;
}

/* With kbtf in the module's directory: not executable there, since that would be a test. */
static bool same_meaning(const char *path, const char *shown, const char *ours)
{
	char kbtf[4096];
	int status;
	pid_t child;

	snprintf(kbtf, sizeof(kbtf), "%.*s/kbtf", (int)(strrchr(path, '/') - path), path);
	if (chmod(kbtf, 0755))
		return false;
	child = fork();
	if (child == 0) {
		execl(kbtf, "kbtf", "diff", "--no-cache", "--base", "/sys/kernel/btf/vmlinux", shown, ours, NULL);
		_exit(127);
	}
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status);
}

enum seen_btf compare_btf(const char *path)
{
	char name[256], shown[512], beside[4096];
	unsigned char *ours, *theirs;
	size_t our_size = 0, their_size = 0;
	enum seen_btf result = BTF_OTHER;

	module_name(path, name, sizeof(name));
	snprintf(shown, sizeof(shown), "/sys/kernel/btf/%s", name);
	theirs = read_whole(shown, &their_size);
	if (!theirs)
		return BTF_ABSENT;
	snprintf(beside, sizeof(beside), "%s.btf", path);
	ours = read_whole(beside, &our_size);
	if (!ours)
		ours = read_section(path, ".BTF", &our_size);
	if (ours && our_size == their_size && !memcmp(ours, theirs, our_size))
		result = BTF_SAME;
	else if (ours && same_meaning(path, shown, beside))
		result = BTF_SAME;
	free(ours);
	free(theirs);
	return result;
}
