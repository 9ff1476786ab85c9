// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Checks that the new programs, maps and links are the module's. */
#include "checks.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

static bool same_program(const struct program *program, const struct bpf_prog_info *info)
{
	return info->type == program->type && !strncmp(info->name, program->name, SHOWN);
}

int check_programs(void)
{
	size_t at, expected[NR_SORTS];
	int bad = 0;

	expect(expected);
	/* Wait until the loader's own program and map are freed. */
	bad = !settled(&during, expected);
	for (at = 0; at < during.count[PROGRAMS]; at++) {
		__u32 id = during.ids[PROGRAMS][at];
		struct bpf_prog_info info;
		size_t other;

		if (has(&before, PROGRAMS, id) || !program_info(id, &info))
			continue;
		for (other = 0; other < under_test->nr_programs; other++) {
			struct program *program = &under_test->programs[other];

			if (!program->id && same_program(program, &info)) {
				program->id = id;
				break;
			}
		}
		if (other == under_test->nr_programs) {
			note("program %u: %s, type %u: not from this module", id, info.name, info.type);
			bad = FAILED;
		}
	}
	for (at = 0; at < under_test->nr_programs; at++) {
		if (under_test->programs[at].id)
			continue;
		note("program %s of type %u: missing", under_test->programs[at].name,
		     under_test->programs[at].type);
		bad = FAILED;
	}
	return bad ? FAILED : 0;
}

static bool same_map(const struct map *map, const struct bpf_map_info *info)
{
	return !map->id && info->type == map->type && info->key_size == map->key_size &&
	       info->value_size == map->value_size &&
	       /* 0: as many as there are processors, for some types. */
	       (!map->max_entries || info->max_entries == map->max_entries) &&
	       info->map_flags == map->flags && !strncmp(info->name, map->name, SHOWN);
}

int check_maps(void)
{
	size_t at, other;
	int bad = 0;

	for (at = 0; at < during.count[MAPS]; at++) {
		__u32 id = during.ids[MAPS][at], size = sizeof(struct bpf_map_info);
		struct bpf_map_info info = {};
		int fd;

		if (has(&before, MAPS, id))
			continue;
		fd = bpf_map_get_fd_by_id(id);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size)) {
			note("map %u: %s", id, strerror(errno));
			bad = FAILED;
		}
		if (fd >= 0)
			close(fd);
		for (other = 0; other < under_test->nr_maps; other++)
			if (same_map(&under_test->maps[other], &info))
				break;
		if (other < under_test->nr_maps) {
			under_test->maps[other].id = id;
			continue;
		}
		note("map %u: %s, type %u, key %u, value %u, %u entries, flags %#x: not from this module",
		     id, info.name, info.type, info.key_size, info.value_size, info.max_entries,
		     info.map_flags);
		bad = FAILED;
	}
	for (at = 0; at < under_test->nr_maps; at++) {
		if (under_test->maps[at].id)
			continue;
		note("map %s of type %u: missing", under_test->maps[at].name, under_test->maps[at].type);
		bad = FAILED;
	}
	return bad;
}

/* Whether a link has the program's kind and target. */
static bool same_link(const struct program *program, const struct bpf_link_info *info,
		      const char *name, const struct btf *kernel)
{
	static const char *const prefixes[] = { "", "bpf_lsm_", "bpf_iter_", "btf_trace_" };
	const struct btf_type *type;
	const char *found;
	size_t at;

	switch (program->link) {
	case LINK_RAW_TRACEPOINT:
		return info->type == BPF_LINK_TYPE_RAW_TRACEPOINT && !strcmp(name, program->target);
	case LINK_ITERATOR:
		return info->type == BPF_LINK_TYPE_ITER && !strcmp(name, program->target);
	case LINK_TRACING:
		if (info->type != BPF_LINK_TYPE_TRACING ||
		    info->tracing.attach_type != program->attach_type)
			return false;
		if (!*program->target)
			return true;
		/* A target in a module is in that module's BTF, which is not read here. */
		type = kernel ? btf__type_by_id(kernel, info->tracing.target_btf_id) : NULL;
		found = type ? btf__name_by_offset(kernel, type->name_off) : NULL;
		for (at = 0; found && at < sizeof(prefixes) / sizeof(*prefixes); at++) {
			size_t length = strlen(prefixes[at]);

			if (!strncmp(found, prefixes[at], length) &&
			    !strcmp(found + length, program->target))
				return true;
		}
		if (found)
			note("%s is attached to %s", program->name, found);
		return !found || strchr(program->target, ':');
	case LINK_NONE:
		break;
	}
	return false;
}

int check_links(void)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	int bad = 0;
	size_t at, other;

	for (at = 0; at < during.count[LINKS]; at++) {
		__u32 id = during.ids[LINKS][at], size = sizeof(struct bpf_link_info);
		struct bpf_link_info info = {};
		char name[128] = "";
		int fd;

		if (has(&before, LINKS, id))
			continue;
		fd = bpf_link_get_fd_by_id(id);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size)) {
			note("link %u: %s", id, strerror(errno));
			bad = FAILED;
			continue;
		}
		if (info.type == BPF_LINK_TYPE_RAW_TRACEPOINT || info.type == BPF_LINK_TYPE_ITER) {
			__u32 type = info.type;

			memset(&info, 0, sizeof(info));
			if (type == BPF_LINK_TYPE_ITER) {
				info.iter.target_name = (unsigned long)name;
				info.iter.target_name_len = sizeof(name);
			} else {
				info.raw_tracepoint.tp_name = (unsigned long)name;
				info.raw_tracepoint.tp_name_len = sizeof(name);
			}
			size = sizeof(info);
			bpf_obj_get_info_by_fd(fd, &info, &size);
		}
		close(fd);
		for (other = 0; other < under_test->nr_programs; other++) {
			struct program *program = &under_test->programs[other];

			if (program->id != info.prog_id || program->link_id)
				continue;
			if (same_link(program, &info, name, kernel))
				program->link_id = id;
			break;
		}
		if (other < under_test->nr_programs && under_test->programs[other].link_id == id)
			continue;
		note("link %u: type %u, program %u: not from this module", id, info.type, info.prog_id);
		bad = FAILED;
	}
	for (at = 0; at < under_test->nr_programs; at++) {
		if (under_test->programs[at].link_id || under_test->programs[at].link == LINK_NONE)
			continue;
		note("link of program %s (%s): missing", under_test->programs[at].name,
		     under_test->programs[at].section);
		bad = FAILED;
	}
	btf__free(kernel);
	return bad;
}
