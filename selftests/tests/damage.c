// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Damaged copies of a module with standalone BTF, one by one and at random. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/btf.h>

#include "damage.h"
#include "harness.h"
#include "module.h"

unsigned char *copy;
size_t size;
static unsigned char *original;

bool read_original(const char *file)
{
	free(original);
	free(copy);
	original = read_whole(beside(file), &size);
	copy = original ? malloc(size) : NULL;
	return copy;
}

void make_copy(void)
{
	memcpy(copy, original, size);
}

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
void marked(void) { mark("btf=standalone base=none"); }
static void marked_without_int(void) { marked(); without_int(); }
static void marked_and_damaged(void) { marked(); without_int(); pointer_to_vmlinux(); }
static void marked_next_version(void) { marked(); next_version(); }
void marked_without_empty_string(void) { marked(); strings()[0] = 'x'; }
void marked_and_distilled(void)
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

const struct damage damages[] = {
	{ "nothing", nothing, 0, NO, false },
	{ "wrong magic", wrong_magic, EINVAL, NO, false },
	{ "next version", next_version, ENOTSUPP, NO, false },
	{ "some flag", some_flag, ENOTSUPP, NO, false },
	{ "header longer than all", long_header, EINVAL, NO, false },
	{ "types outside", types_outside, EINVAL, NO, false },
	{ "strings outside", strings_outside, EINVAL, NO, false },
	{ "types cut short", types_cut, EINVAL, YES, false },
	{ "member outside", member_outside, EINVAL, YES, false },
	{ "member that wraps", member_wraps, EINVAL, YES, false },
	{ "pointer that vmlinux has a type for", pointer_to_vmlinux, EINVAL, YES, false },
	{ "name outside", name_outside, EINVAL, YES, false },
	{ "name that wraps", name_wraps, EINVAL, YES, false },
	{ "unknown kind", unknown_kind, EINVAL, EITHER, false },
	{ "members beyond the end", many_members, EINVAL, EITHER, false },
	{ "pointer with a name", pointer_with_name, EINVAL, YES, false },
	{ "typedef of itself", chain, ELOOP, YES, false },
	{ "id in .BTF_ids outside", ids_outside, EINVAL, YES, false },
	{ ".BTF_ids without symbols", ids_without_symbols, EINVAL, YES, false },
	{ "marked", marked, 0, NO, false },
	{ "marked, no int", marked_without_int, 0, NO, true },
	{ "marked, damaged", marked_and_damaged, EINVAL, YES, false },
	{ "marked, next version", marked_next_version, ENOTSUPP, YES, false },
};
const size_t nr_damages = sizeof(damages) / sizeof(*damages);

uint32_t seed;

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

void mutate(void)
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
