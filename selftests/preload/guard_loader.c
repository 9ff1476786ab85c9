// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The loader of guard.bpf.c, whose programs are attached already: mounts an instance
 * of bpffs at DIR, which gets the mark, pins the guard's links in DIR/guard unless
 * the kernel has done so, and seals the guard.
 *
 *   guard_loader DIR [KEEPER]
 *
 * KEEPER is a process that may open what is the guard's by id nevertheless. Without
 * one nobody may, for as long as the programs are attached.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#define SEALED_FOR_ALL	0xffffffffu
#define MAX_MAPS	16

/* As in guard.bpf.c. */
struct opening {
	__u32 command;
	__u32 id;
};

struct program {
	__u32 id;
	__u32 maps[MAX_MAPS];
	__u32 nr_maps;
	char name[BPF_OBJ_NAME_LEN];
};

/* The map with the guard's variables: fd and id. */
static int variables = -1;
static __u32 variables_id;
static struct bpf_map_info variables_info;
static int own = -1;

static int fail(const char *what)
{
	fprintf(stderr, "guard_loader: %s: %s\n", what, strerror(errno));
	return 1;
}

static bool read_program(__u32 id, struct program *program)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);
	bool read;

	info.map_ids = (unsigned long)program->maps;
	info.nr_map_ids = MAX_MAPS;
	read = fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size);
	if (fd >= 0)
		close(fd);
	program->id = id;
	program->nr_maps = info.nr_map_ids < MAX_MAPS ? info.nr_map_ids : MAX_MAPS;
	snprintf(program->name, sizeof(program->name), "%s", info.name);
	return read;
}

static bool uses(const struct program *program, __u32 map)
{
	__u32 at;

	for (at = 0; at < program->nr_maps; at++)
		if (program->maps[at] == map)
			return true;
	return false;
}

/* Finds the maps of the guard through the program that needs both. */
static bool find_maps(void)
{
	struct program program;
	__u32 id = 0, at;

	while (!bpf_prog_get_next_id(id, &id)) {
		if (!read_program(id, &program) || strcmp(program.name, "guard_bpf"))
			continue;
		for (at = 0; at < program.nr_maps; at++) {
			struct bpf_map_info info = {};
			__u32 size = sizeof(info);
			int fd = bpf_map_get_fd_by_id(program.maps[at]);

			if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
				continue;
			if (!strcmp(info.name, "own")) {
				own = fd;
			} else if (strstr(info.name, ".bss")) {
				variables = fd;
				variables_id = program.maps[at];
				variables_info = info;
			}
		}
		return own >= 0 && variables >= 0;
	}
	return false;
}

/* One of the guard's variables, of four bytes; negative without it. */
static long offset_of(const char *name)
{
	struct btf *btf = btf__load_from_kernel_by_id(variables_info.btf_id);
	const struct btf_type *section =
		btf ? btf__type_by_id(btf, variables_info.btf_value_type_id) : NULL;
	const struct btf_var_secinfo *variable = section ? btf_var_secinfos(section) : NULL;
	long offset = -1;
	int at;

	for (at = 0; section && at < btf_vlen(section); at++) {
		const struct btf_type *type = btf__type_by_id(btf, variable[at].type);

		if (!strcmp(btf__name_by_offset(btf, type->name_off), name))
			offset = variable[at].offset;
	}
	btf__free(btf);
	if (offset + 4 > variables_info.value_size)
		offset = -1;
	return offset;
}

static bool access_variable(const char *name, __u32 *value, bool set)
{
	long offset = offset_of(name);
	char *contents = calloc(1, variables_info.value_size);
	bool done = false;
	__u32 key = 0;

	if (offset >= 0 && contents && !bpf_map_lookup_elem(variables, &key, contents)) {
		done = true;
		if (set) {
			memcpy(contents + offset, value, sizeof(*value));
			done = !bpf_map_update_elem(variables, &key, contents, 0);
		} else {
			memcpy(value, contents + offset, sizeof(*value));
		}
	}
	free(contents);
	return done;
}

static bool keep(__u32 command, __u32 id)
{
	struct opening opening = { command, id };
	__u8 value = 1;

	return !bpf_map_update_elem(own, &opening, &value, 0);
}

/* Pins a link, if it is the guard's and the kernel has not pinned it. */
static bool take_link(__u32 id, const char *folder)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);
	struct program program;
	char path[4096 + BPF_OBJ_NAME_LEN];
	int fd = bpf_link_get_fd_by_id(id);
	bool done = true;

	if (fd < 0)
		return true;
	if (!bpf_obj_get_info_by_fd(fd, &info, &size) && read_program(info.prog_id, &program) &&
	    uses(&program, variables_id)) {
		snprintf(path, sizeof(path), "%s/%s", folder, program.name);
		done = keep(BPF_LINK_GET_FD_BY_ID, id) &&
		       (!access(path, F_OK) || !bpf_obj_pin(fd, path));
	}
	close(fd);
	return done;
}

static bool take_programs(void)
{
	struct program program;
	__u32 id = 0, at;

	while (!bpf_prog_get_next_id(id, &id)) {
		if (!read_program(id, &program) || !uses(&program, variables_id))
			continue;
		if (!keep(BPF_PROG_GET_FD_BY_ID, id))
			return false;
		for (at = 0; at < program.nr_maps; at++)
			if (!keep(BPF_MAP_GET_FD_BY_ID, program.maps[at]))
				return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	__u32 process = getpid(), sealed = SEALED_FOR_ALL, id = 0;
	char folder[4096];

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: guard_loader DIR [KEEPER]\n");
		return 2;
	}
	if (argc == 3)
		sealed = strtoul(argv[2], NULL, 10);
	if (!sealed) {
		fprintf(stderr, "guard_loader: %s: not a process\n", argv[2]);
		return 2;
	}
	errno = ENOENT;
	if (!find_maps())
		return fail("the guard's maps");
	if (!access_variable("mounter", &process, true))
		return fail("mounter");
	if (mount("bpf", argv[1], "bpf", 0, NULL))
		return fail(argv[1]);
	if (!access_variable("mounter", &process, false) || process) {
		errno = EOPNOTSUPP;
		return fail("the instance has no mark (lsm=bpf)");
	}
	if (snprintf(folder, sizeof(folder), "%s/guard", argv[1]) >= (int)sizeof(folder)) {
		errno = ENAMETOOLONG;
		return fail(argv[1]);
	}
	if (mkdir(folder, 0700) && errno != EEXIST)
		return fail(folder);
	while (!bpf_link_get_next_id(id, &id))
		if (!take_link(id, folder))
			return fail("pinning a link");
	if (!take_programs() || !access_variable("sealed", &sealed, true))
		return fail("sealing");
	return 0;
}
