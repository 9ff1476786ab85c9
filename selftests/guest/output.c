// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Files that tests leave in /output, on the console: docs/vm.md has the protocol.

#include "output.h"

#include "console.h"
#include "tasks.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// A line's bytes before base64: with its mark it is one record.
#define PIECE 570
#define MAX_PATH 1024
#define MAX_DEPTH 16

static size_t left;
static int files, omitted;

// CRC-32 of ISO 3309, as in gzip.
static uint32_t checksum(const unsigned char *bytes, size_t count)
{
	uint32_t sum = ~0u;

	while (count--) {
		sum ^= *bytes++;
		for (int bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ (0xedb88320u & -(sum & 1));
	}
	return ~sum;
}

static void send_bytes(const unsigned char *bytes, size_t count)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[PIECE / 3 * 4 + 1];
	size_t length = 0;

	for (size_t at = 0; at < count; at += 3) {
		size_t rest = count - at;
		uint32_t word = (uint32_t)bytes[at] << 16;

		if (rest > 1)
			word |= (uint32_t)bytes[at + 1] << 8;
		if (rest > 2)
			word |= bytes[at + 2];
		text[length++] = digits[word >> 18];
		text[length++] = digits[word >> 12 & 63];
		text[length++] = rest > 1 ? digits[word >> 6 & 63] : '=';
		text[length++] = rest > 2 ? digits[word & 63] : '=';
	}
	text[length] = 0;
	say("# data %s", text);
}

static void send_file(const char *path, const char *name)
{
	struct stat status;
	size_t size;
	char *bytes;

	if (stat(path, &status) || (size_t)status.st_size > left || !(bytes = read_file(path, &size)) ||
	    size > left) {
		say("# omitted %s", name);
		omitted++;
		return;
	}
	left -= size;
	files++;
	say("# file %zu %08x %s", size, checksum((unsigned char *)bytes, size), name);
	for (size_t at = 0; at < size; at += PIECE)
		send_bytes((unsigned char *)bytes + at, size - at < PIECE ? size - at : PIECE);
	free(bytes);
}

// It becomes part of a line.
static int is_printable(const char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name < 0x20 || *name == 0x7f)
			return 0;
	return 1;
}

// Links are not followed.
static void send_folder(const char *path, size_t root, int depth)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);

	for (int index = 0; index < count; index++) {
		const char *name = entries[index]->d_name;
		char child[MAX_PATH];
		struct stat status;

		if (!strcmp(name, ".") || !strcmp(name, "..") || !is_printable(name) ||
		    snprintf(child, sizeof(child), "%s/%s", path, name) >= (int)sizeof(child) ||
		    lstat(child, &status))
			continue;
		if (S_ISDIR(status.st_mode) && depth < MAX_DEPTH)
			send_folder(child, root, depth + 1);
		else if (S_ISREG(status.st_mode))
			send_file(child, child + root);
	}
}

void open_output(size_t limit)
{
	left = limit;
	mkdir(OUTPUT, 0777);
}

void send_output(void)
{
	send_folder(OUTPUT, strlen(OUTPUT) + 1, 0);
	say("# files %d, omitted %d", files, omitted);
}
