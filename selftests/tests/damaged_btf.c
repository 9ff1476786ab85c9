// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * For kernels that renumber standalone BTF (kbuild/patches): kbtf_test.ko beside this
 * program has such BTF, of which damaged copies are loaded. A file `mutants` says how
 * many at random, and from which seed. Memory that is lost is counted where the kernel
 * has kmemleak; what else it complains about, kbtf vm sees on its console.
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
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/btf.h>

#include "harness.h"
#include "module.h"

#define MODULE		"kbtf_test.ko"
/* The kernel's own, which no header of the C library has. */
#define ENOTSUPP	524

static unsigned char *original, *copy;
static size_t size;
static unsigned char *expected;
static size_t expected_size;

/* A section of the copy. */
struct part {
	unsigned char *at;
	size_t size;
	Elf64_Shdr *header;
};

static struct part part(const char *name)
{
	Elf64_Ehdr *elf = (Elf64_Ehdr *)copy;
	Elf64_Shdr *headers = (Elf64_Shdr *)(copy + elf->e_shoff);
	const char *names = (char *)copy + headers[elf->e_shstrndx].sh_offset;
	int at;

	for (at = 1; at < elf->e_shnum; at++)
		if (!strcmp(names + headers[at].sh_name, name))
			return (struct part){ copy + headers[at].sh_offset, headers[at].sh_size, &headers[at] };
	return (struct part){ 0 };
}

static struct btf_header *btf(void)
{
	return (struct btf_header *)part(".BTF").at;
}

static unsigned char *types(void)
{
	return (unsigned char *)btf() + btf()->hdr_len + btf()->type_off;
}

static char *strings(void)
{
	return (char *)btf() + btf()->hdr_len + btf()->str_off;
}

/* The first type of a kind. */
static struct btf_type *of_kind(unsigned int kind)
{
	static const unsigned char fixed[] = { [BTF_KIND_INT] = 4, [BTF_KIND_ARRAY] = 12,
		[BTF_KIND_VAR] = 4, [BTF_KIND_DECL_TAG] = 4, [BTF_KIND_ENUM64] = 0 };
	static const unsigned char each[] = { [BTF_KIND_STRUCT] = 12, [BTF_KIND_UNION] = 12,
		[BTF_KIND_ENUM] = 8, [BTF_KIND_FUNC_PROTO] = 8, [BTF_KIND_DATASEC] = 12,
		[BTF_KIND_ENUM64] = 12 };
	unsigned char *at = types(), *end = at + btf()->type_len;

	while (at < end) {
		struct btf_type *type = (struct btf_type *)at;

		if (BTF_INFO_KIND(type->info) == kind && (kind != BTF_KIND_STRUCT || BTF_INFO_VLEN(type->info)))
			return type;
		at += sizeof(*type) + fixed[BTF_INFO_KIND(type->info)] +
		      each[BTF_INFO_KIND(type->info)] * BTF_INFO_VLEN(type->info);
	}
	return NULL;
}

static void replace_string(const char *from, const char *to)
{
	char *end = strings() + btf()->str_len, *at;

	for (at = strings(); at < end; at += strlen(at) + 1)
		if (!strcmp(at, from))
			memcpy(at, to, strlen(from));
}

/* In place of the description, which is longer. */
static void mark(const char *text)
{
	struct part info = part(".modinfo");
	unsigned char *at = info.at, *end = at + info.size;

	while (at < end) {
		size_t length = strnlen((char *)at, end - at);

		if (!strncmp((char *)at, "description=", 12) && length >= strlen(text)) {
			memset(at, 0, length);
			memcpy(at, text, strlen(text));
			return;
		}
		at += length + 1;
	}
	note("no room for a mark");
	abort();
}

static void nothing(void) { }
static void wrong_magic(void) { btf()->magic = 0x1234; }
static void next_version(void) { btf()->version = 2; }
static void some_flag(void) { btf()->flags = 1; }
static void long_header(void) { btf()->hdr_len = 0x7fffffff; }
static void types_outside(void) { btf()->type_off = 0xfffffff0; }
static void strings_outside(void) { btf()->str_len = 0x7fffffff; }
static void types_cut(void) { btf()->type_len -= 4; }
static void member_outside(void)
{
	((struct btf_member *)(of_kind(BTF_KIND_STRUCT) + 1))->type = 0xfffff;
}
static void member_wraps(void)
{
	((struct btf_member *)(of_kind(BTF_KIND_STRUCT) + 1))->type = 0xfffffff0;
}
static void pointer_to_vmlinux(void) { of_kind(BTF_KIND_PTR)->type = 40000; }
static void name_outside(void) { of_kind(BTF_KIND_STRUCT)->name_off = btf()->str_len; }
static void name_wraps(void) { of_kind(BTF_KIND_STRUCT)->name_off = 0xfff00000; }
static void unknown_kind(void) { of_kind(BTF_KIND_PTR)->info = 30u << 24; }
static void many_members(void) { of_kind(BTF_KIND_STRUCT)->info |= 0xffff; }
static void pointer_with_name(void) { of_kind(BTF_KIND_PTR)->name_off = 1; }
static void chain(void)
{
	struct btf_type *type = of_kind(BTF_KIND_TYPEDEF);
	unsigned int id = 1;
	unsigned char *at;

	/* To itself: its own id is how many types begin before it. */
	for (at = types(); at != (unsigned char *)type; id++) {
		struct btf_type *other = (struct btf_type *)at;
		unsigned int kind = BTF_INFO_KIND(other->info), vlen = BTF_INFO_VLEN(other->info);

		at += sizeof(*other);
		if (kind == BTF_KIND_ARRAY)
			at += 12;
		else if (kind == BTF_KIND_INT || kind == BTF_KIND_VAR || kind == BTF_KIND_DECL_TAG)
			at += 4;
		else if (kind == BTF_KIND_ENUM || kind == BTF_KIND_FUNC_PROTO)
			at += 8 * vlen;
		else if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_DATASEC ||
			 kind == BTF_KIND_ENUM64)
			at += 12 * vlen;
	}
	type->type = id;
}
static void ids_outside(void)
{
	/* Of a set with flags: its count, its own flags, then pairs of an id and flags. */
	((uint32_t *)part(".BTF_ids").at)[2] = 0x00f00000;
}
static void ids_without_symbols(void)
{
	struct part names = part(".strtab");
	unsigned char *at;

	for (at = names.at; (at = memmem(at, names.at + names.size - at, "__BTF_ID__", 10)); at += 10)
		*at = 'x';
}
static void without_int(void) { replace_string("int", "inx"); }
static void marked(void) { mark("btf=standalone base=none"); }
static void marked_without_int(void) { marked(); without_int(); }
static void marked_and_damaged(void) { marked(); without_int(); pointer_to_vmlinux(); }
static void marked_next_version(void) { marked(); next_version(); }
static void marked_without_empty_string(void) { marked(); strings()[0] = 'x'; }
static void marked_and_distilled(void)
{
	Elf64_Ehdr *elf = (Elf64_Ehdr *)copy;
	Elf64_Shdr *headers = (Elf64_Shdr *)(copy + elf->e_shoff);
	char *names = (char *)copy + headers[elf->e_shstrndx].sh_offset;
	struct part section = part("__bug_table");

	/* The name of another section that loading can do without. */
	marked();
	if (!section.header)
		section = part(".comment");
	if (!section.header)
		abort();
	memcpy(names + section.header->sh_name, ".BTF.base", sizeof(".BTF.base"));
}

/* What is loaded, the errno, and whether the log then says that it was taken for standalone BTF. */
static const struct damage {
	const char *name;
	void (*make)(void);
	int error;
	/* Or it stops the search for int, and is refused in split BTF as well. */
	enum { NO, YES, EITHER } as_standalone;
} damages[] = {
	{ "nothing", nothing, 0, NO },
	{ "wrong magic", wrong_magic, EINVAL, NO },
	{ "next version", next_version, ENOTSUPP, NO },
	{ "some flag", some_flag, ENOTSUPP, NO },
	{ "header longer than all", long_header, EINVAL, NO },
	{ "types outside", types_outside, EINVAL, NO },
	{ "strings outside", strings_outside, EINVAL, NO },
	{ "types cut short", types_cut, EINVAL, YES },
	{ "member outside", member_outside, EINVAL, YES },
	{ "member that wraps", member_wraps, EINVAL, YES },
	{ "pointer that vmlinux has a type for", pointer_to_vmlinux, EINVAL, YES },
	{ "name outside", name_outside, EINVAL, YES },
	{ "name that wraps", name_wraps, EINVAL, YES },
	{ "unknown kind", unknown_kind, EINVAL, EITHER },
	{ "members beyond the end", many_members, EINVAL, EITHER },
	{ "pointer with a name", pointer_with_name, EINVAL, YES },
	{ "typedef of itself", chain, ELOOP, YES },
	{ "id in .BTF_ids outside", ids_outside, EINVAL, YES },
	{ ".BTF_ids without symbols", ids_without_symbols, EINVAL, YES },
	{ "marked", marked, 0, NO },
	{ "marked, no int", marked_without_int, 0, NO },
	{ "marked, damaged", marked_and_damaged, EINVAL, YES },
	{ "marked, next version", marked_next_version, ENOTSUPP, YES },
};

static int load_copy(void)
{
	return syscall(SYS_init_module, copy, size, "") ? errno : 0;
}

/* Whether the kernel wrote the text since the last call. */
static bool logged(const char *text)
{
	static int log = -1;
	char record[8192];
	bool found = false;
	ssize_t length;

	if (log < 0)
		log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	while ((length = read(log, record, sizeof(record) - 1)) > 0 || (length < 0 && errno == EPIPE)) {
		if (length < 0)
			continue;
		record[length] = 0;
		found = found || strstr(record, text);
	}
	return found;
}

static bool start(void)
{
	original = read_whole(beside(MODULE), &size);
	copy = malloc(size);
	expected = read_whole(beside(MODULE ".btf"), &expected_size);
	return original && copy && expected;
}

static bool shown_as_expected(void)
{
	size_t shown_size;
	unsigned char *shown = read_whole("/sys/kernel/btf/kbtf_test", &shown_size);
	bool same = shown && shown_size == expected_size && !memcmp(shown, expected, shown_size);

	free(shown);
	return same;
}

static int single_faults(void)
{
	size_t at;

	REQUIRE(start());
	for (at = 0; at < sizeof(damages) / sizeof(*damages); at++) {
		const struct damage *damage = &damages[at];
		int error;

		memcpy(copy, original, size);
		damage->make();
		logged("");
		error = load_copy();
		note("%s: errno %d, expected %d", damage->name, error, damage->error);
		REQUIRE(error == damage->error);
		REQUIRE(!error || damage->as_standalone == EITHER ||
			logged("standalone BTF") == (damage->as_standalone == YES));
		if (!error) {
			REQUIRE(damage->make == marked_without_int || shown_as_expected());
			REQUIRE(!unload_module(MODULE));
		}
	}
	return 0;
}

static int no_mercy(void)
{
	REQUIRE(start());
	memcpy(copy, original, size);
	/* A mark that contradicts the file. */
	marked_and_distilled();
	REQUIRE(load_copy() == EINVAL);
	memcpy(copy, original, size);
	marked_without_empty_string();
	/* Kernels accept split BTF with any first string. */
	REQUIRE(!load_copy());
	REQUIRE(!unload_module(MODULE));
	return 0;
}

static uint32_t seed;

static uint32_t random_number(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

static uint32_t random_word(uint32_t old)
{
	static const uint32_t words[] = { 0, 1, 0x7fffffff, 0xffffffff, 0x80000000, 0xfffff, 0x100000, 0xffffff,
		0x01000000 };

	switch (random_number() % 5) {
	case 0:
		return old + 1;
	case 1:
		return old - 1;
	case 2:
		return old ^ 1u << random_number() % 32;
	case 3:
		return words[random_number() % (sizeof(words) / sizeof(*words))];
	default:
		return random_number() % 2 ? random_number() : random_number() % 200000;
	}
}

static void change_word(unsigned char *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	word = random_word(word);
	memcpy(at, &word, sizeof(word));
}

static void mutate(void)
{
	struct part data = part(".BTF"), ids = part(".BTF_ids");
	unsigned int changes = 1 + random_number() % 4;

	if (random_number() % 4 == 0)
		marked();
	while (changes--) {
		switch (random_number() % 12) {
		case 0:
			change_word(data.at + random_number() % 8 * 4);
			break;
		case 1:
			change_word(ids.at + random_number() % (ids.size / 4) * 4);
			break;
		case 2:
			/* Of its size, too. */
			data.header->sh_size = random_number() % (data.size + 1);
			break;
		case 3:
			strings()[random_number() % btf()->str_len] = random_number();
			break;
		case 4:
			data.at[random_number() % data.size] ^= 1 << random_number() % 8;
			break;
		default:
			change_word(types() + random_number() % (btf()->type_len / 4) * 4);
			break;
		}
		/* Where the next change goes is read from the header. */
		if (btf()->hdr_len != ((struct btf_header *)(original + ((unsigned char *)btf() - copy)))->hdr_len ||
		    memcmp(btf(), original + ((unsigned char *)btf() - copy), sizeof(struct btf_header)))
			return;
	}
}

static int mutants(void)
{
	size_t wish_size;
	char *wish = (char *)read_whole(beside("mutants"), &wish_size);
	unsigned int count, at, loaded = 0, kinds[8] = { 0 };

	if (!wish)
		return skip("no file `mutants`");
	REQUIRE(sscanf(wish, "%u %u", &count, &seed) == 2 && seed);
	free(wish);
	REQUIRE(start());
	for (at = 0; at < count; at++) {
		uint32_t before = seed;
		int error;

		memcpy(copy, original, size);
		mutate();
		error = load_copy();
		switch (error) {
		case 0:
			loaded++;
			if (unload_module(MODULE)) {
				note("mutant %u (seed %u) cannot be unloaded", at, before);
				return 1;
			}
			break;
		case EINVAL: kinds[0]++; break;
		case E2BIG: kinds[1]++; break;
		case ELOOP: kinds[2]++; break;
		case ENOTSUPP: kinds[3]++; break;
		case ENOEXEC: kinds[4]++; break;
		default:
			note("mutant %u (seed %u): errno %d", at, before, error);
			return 1;
		}
	}
	printf("# %u mutants: %u loaded; EINVAL %u, E2BIG %u, ELOOP %u, ENOTSUPP %u, ENOEXEC %u\n", count, loaded,
	       kinds[0], kinds[1], kinds[2], kinds[3], kinds[4]);
	REQUIRE(loaded > 0 && kinds[0] > 0);
	return 0;
}

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

static bool kmemleak(const char *command)
{
	int fd = open(KMEMLEAK, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, command, strlen(command)) == (ssize_t)strlen(command);

	if (fd >= 0)
		close(fd);
	return done;
}

/* What leaks while the kernel starts is not ours. */
static int leaks_before(void)
{
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	if (access(KMEMLEAK, F_OK))
		return skip("the kernel has no kmemleak");
	sleep(6);
	REQUIRE(kmemleak("scan") && kmemleak("scan") && kmemleak("clear"));
	return 0;
}

/* Young objects do not count, and an object may be pointed to by chance: scanned twice. */
static int no_leaks(void)
{
	unsigned char *found;
	size_t length;

	if (access(KMEMLEAK, F_OK))
		return skip("the kernel has no kmemleak");
	sleep(6);
	REQUIRE(kmemleak("scan") && kmemleak("scan"));
	found = read_whole(KMEMLEAK, &length);
	REQUIRE(found);
	if (length)
		note("%.2000s", found);
	REQUIRE(!length);
	return 0;
}

static const struct point points[] = {
	{ "leaks_before", leaks_before },
	{ "single_faults", single_faults },
	{ "no_mercy", no_mercy },
	{ "mutants", mutants },
	{ "no_leaks", no_leaks },
};

int main(void)
{
	return run_points(points, sizeof(points) / sizeof(*points), NULL);
}
