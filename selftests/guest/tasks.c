// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Loading modules, comparing BTF, running tests: in processes of their own.

#include "tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void load_module(char **words)
{
	int fd = open(words[0], O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, words[1] ? words[1] : "", 0) &&
		       (words[1] || errno != EEXIST))) {
		printf("# %s: cannot load: %s\n", words[0], strerror(errno));
		fflush(stdout);
		_exit(1);
	}
	_exit(0);
}

void execute(char **words)
{
	char *slash = strrchr(words[0], '/');
	char *environment[] = { "PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin:/tests", "HOME=/", "LC_ALL=C",
				"KBTF_OUTPUT=/output", NULL };

	*slash = 0;
	if (chdir(slash == words[0] ? "/" : words[0]))
		_exit(126);
	*slash = '/';
	execve(words[0], words, environment);
	printf("# %s: cannot run: %s\n", words[0], strerror(errno));
	fflush(stdout);
	_exit(126);
}

char *read_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t room = 1 << 16;
	char *bytes = malloc(room);
	ssize_t count = -1;

	*size = 0;
	while (fd >= 0 && bytes && (count = read(fd, bytes + *size, room - *size)) > 0) {
		*size += (size_t)count;
		if (*size == room) {
			room *= 2;
			bytes = realloc(bytes, room);
		}
	}
	if (fd >= 0)
		close(fd);
	return count == 0 ? bytes : NULL;
}

void check_btf(char **words)
{
	char shown[256];
	size_t size, own_size;
	char *bytes, *own;

	snprintf(shown, sizeof(shown), "/sys/kernel/btf/%s", words[0]);
	bytes = read_file(shown, &size);
	if (!bytes) {
		printf("# %s: %s: the kernel has not taken the module's BTF\n", shown, strerror(errno));
		goto failed;
	}
	if (strcmp(words[1], "-")) {
		own = read_file(words[1], &own_size);
		if (!own || own_size != size || memcmp(own, bytes, size)) {
			printf("# %s: %zu bytes that differ from the %zu of .BTF\n", shown, size,
			       own ? own_size : 0);
			goto failed;
		}
	}
	printf("# %s: %zu bytes%s\n", shown, size,
	       strcmp(words[1], "-") ? ", the same as in the file" : "");
	fflush(stdout);
	_exit(0);
failed:
	fflush(stdout);
	_exit(1);
}
