// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * loaders FOLDER NAME...: compares the loaders in FOLDER/NAME.{ours,theirs}.{data,insns}, byte for byte.
 *
 * Debian's bpftool 7.1 is built with its kernel's libbpf, which says 1.1 and is not quite libbpf 1.1.2, with which kbtf
 * is built. A difference counts as one of these, by what stands around it, or as none:
 *
 *   mapped     1.1 has user space map sections of which it sees no variable: BPF_F_MMAPABLE
 *   ksym       1.1.2 has a condition where 1.1 jumps always, with the same outcome for what kbtf lets through
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
	unsigned char *at;
	long size;
};

static struct bytes contents(const char *folder, const char *name, const char *what)
{
	struct bytes bytes = { NULL, 0 };
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.%s", folder, name, what);
	file = fopen(path, "r");
	if (!file || fseek(file, 0, SEEK_END) || (bytes.size = ftell(file)) < 0) {
		perror(path);
		exit(2);
	}
	rewind(file);
	bytes.at = malloc(bytes.size + 1);
	if (!bytes.at || fread(bytes.at, 1, bytes.size, file) != (size_t)bytes.size) {
		perror(path);
		exit(2);
	}
	fclose(file);
	return bytes;
}

static unsigned int word(const unsigned char *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (unsigned int)at[3] << 24;
}

/* The second byte of map_flags in an attr for BPF_MAP_CREATE: an array of one value. */
static int is_mapped(const struct bytes *ours, const struct bytes *theirs, long i)
{
	const unsigned char *attr = theirs->at + i - 17;

	return i >= 17 && theirs->at[i] == 4 && !ours->at[i] && word(attr) == 2 && word(attr + 4) == 4 &&
	       word(attr + 12) == 1 && (word(attr + 16) == 0x400 || word(attr + 16) == 0x480);
}

/* if r7 s>= 0 goto +3, against goto +3. */
static int is_ksym(const struct bytes *ours, const struct bytes *theirs, long i)
{
	static const unsigned char condition[] = { 0x75, 0x07, 3, 0, 0, 0, 0, 0 };
	static const unsigned char jump[] = { 0x05, 0, 3, 0, 0, 0, 0, 0 };
	long start = i & ~7L;

	return start + 8 <= ours->size && !memcmp(theirs->at + start, jump, 8) &&
	       !memcmp(ours->at + start, condition, 8);
}

static const struct {
	const char *name, *part;
	int (*holds)(const struct bytes *ours, const struct bytes *theirs, long i);
	/* Bytes that belong to one occurrence. */
	int length;
} rules[] = {
	{ "mapped", "data", is_mapped, 1 },
	{ "ksym", "insns", is_ksym, 2 },
};

#define RULES ((int)(sizeof(rules) / sizeof(*rules)))

int main(int argc, char **argv)
{
	int equal = 0, by_rule = 0, different = 0, counts[RULES] = { 0 };
	long total = 0;

	for (int i = 2; i < argc; i++) {
		int explained = 0, unexplained = 0;

		for (int part = 0; part < 2; part++) {
			const char *what = part ? "insns" : "data";
			char name[256];

			snprintf(name, sizeof(name), "%s.ours", argv[i]);
			struct bytes ours = contents(argv[1], name, what);
			snprintf(name, sizeof(name), "%s.theirs", argv[i]);
			struct bytes theirs = contents(argv[1], name, what);

			total += ours.size;
			if (ours.size != theirs.size) {
				printf("%s: %s: %ld bytes, theirs %ld\n", argv[i], what, ours.size, theirs.size);
				unexplained = 1;
			}
			for (long at = 0; at < ours.size && at < theirs.size && !unexplained; at++) {
				int rule = 0;

				if (ours.at[at] == theirs.at[at])
					continue;
				while (rule < RULES && (strcmp(rules[rule].part, what) ||
							!rules[rule].holds(&ours, &theirs, at)))
					rule++;
				if (rule == RULES) {
					printf("%s: %s+%#lx: %#x, theirs %#x\n", argv[i], what, at, ours.at[at],
					       theirs.at[at]);
					unexplained = 1;
				} else {
					counts[rule]++;
					explained = 1;
				}
			}
			free(ours.at);
			free(theirs.at);
		}
		if (unexplained)
			different++;
		else if (explained)
			by_rule++;
		else
			equal++;
	}
	printf("%d loaders of %ld bytes: %d equal, %d by rule, %d different;", argc - 2, total, equal, by_rule, different);
	for (int rule = 0; rule < RULES; rule++)
		printf(" %s %d", rules[rule].name, counts[rule] / rules[rule].length);
	printf("\n");
	return different > 0;
}
