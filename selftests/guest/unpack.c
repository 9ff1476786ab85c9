// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// The host's CpioWriter is the only writer of these archives.

#include "unpack.h"

#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER 110
#define PADDED(size) (((size) + 3) & ~(size_t)3)

// The number at this index of the header's thirteen, each with eight digits.
static size_t number(const char *header, int index)
{
	size_t value = 0;

	for (int digit = 0; digit < 8; digit++) {
		char c = header[6 + index * 8 + digit];

		value = value << 4 | (size_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return value;
}

static void make_file(const char *path, mode_t mode, const char *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	ssize_t count;

	for (; fd >= 0 && size; bytes += count, size -= (size_t)count) {
		count = write(fd, bytes, size);
		if (count <= 0)
			break;
	}
	if (fd < 0 || size)
		bail_out("cannot unpack %s: %s", path, strerror(errno));
	close(fd);
}

static void make_link(const char *path, const char *target, size_t size)
{
	char text[4096];

	if (size >= sizeof(text))
		bail_out("cannot unpack %s: its target is too long", path);
	memcpy(text, target, size);
	text[size] = 0;
	if (symlink(text, path))
		bail_out("cannot unpack %s: %s", path, strerror(errno));
}

void unpack(const char *archive, size_t size)
{
	const char *end = archive + size;

	if (chdir("/"))
		bail_out("cannot enter /: %s", strerror(errno));
	umask(0);
	while (end - archive >= HEADER && !memcmp(archive, "070701", 6)) {
		mode_t mode = (mode_t)number(archive, 1);
		size_t length = number(archive, 6);
		size_t name_size = number(archive, 11);
		const char *name = archive + HEADER;
		size_t start = PADDED(HEADER + name_size);

		if ((size_t)(end - archive) < start || (size_t)(end - archive) - start < PADDED(length) ||
		    !name_size || name[name_size - 1])
			break;
		if (!strcmp(name, "TRAILER!!!")) {
			umask(022);
			return;
		}
		if (S_ISREG(mode))
			make_file(name, mode & 07777, archive + start, length);
		else if (S_ISLNK(mode))
			make_link(name, archive + start, length);
		else if (S_ISDIR(mode) && mkdir(name, mode & 07777) && errno != EEXIST)
			bail_out("cannot make %s: %s", name, strerror(errno));
		archive += start + PADDED(length);
	}
	bail_out("the host's archive is damaged");
}
