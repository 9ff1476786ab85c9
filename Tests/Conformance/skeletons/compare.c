// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Holds kbtf's light skeletons against bpftool's.
 *
 *   compare record FOLDER   writes the loaders: FOLDER/NAME.{ours,theirs}.{data,insns}; asks nothing of the kernel
 *   compare                 in a guest: loads each object by both and compares what the kernel has then. KTAP
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "pair.h"

#define X(name) extern run_skeleton name##_ours, name##_theirs;
#include "objects.def"
#undef X

static const struct {
	const char *name;
	run_skeleton *run[2];
} objects[] = {
#define X(name) { #name, { name##_ours, name##_theirs } },
#include "objects.def"
#undef X
};

#define COUNT ((int)(sizeof(objects) / sizeof(*objects)))

static const char *const sides[] = { "ours", "theirs" };

void (*record)(const void *data, unsigned int data_size, const void *insns, unsigned int insns_size);

/* --- Recording --- */

static char prefix[4096];

static void put(const char *what, const void *bytes, unsigned int size)
{
	char path[sizeof(prefix) + 16];
	FILE *file;

	snprintf(path, sizeof(path), "%s.%s", prefix, what);
	file = fopen(path, "w");
	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file)) {
		perror(path);
		exit(1);
	}
}

static void put_loader(const void *data, unsigned int data_size, const void *insns, unsigned int insns_size)
{
	put("data", data, data_size);
	put("insns", insns, insns_size);
}

static void record_all(const char *folder)
{
	record = put_loader;
	for (int i = 0; i < COUNT; i++) {
		for (int side = 0; side < 2; side++) {
			snprintf(prefix, sizeof(prefix), "%s/%s.%s", folder, objects[i].name, sides[side]);
			objects[i].run[side](NULL, NULL);
		}
	}
}

/* --- What the kernel has --- */

static FILE *report;
static unsigned int first_program, first_map, first_link;

static unsigned int newest(int (*next)(__u32, __u32 *))
{
	unsigned int id = 0;

	while (!next(id, &id))
		;
	return id;
}

static unsigned long long hash(const void *bytes, size_t size)
{
	unsigned long long value = 14695981039346656037ULL;

	for (size_t i = 0; i < size; i++)
		value = (value ^ ((const unsigned char *)bytes)[i]) * 1099511628211ULL;
	return value;
}

/* Maps of maps tell ids of maps, which differ from one time to the next. */
static void say_map_name(unsigned int id)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	int fd = bpf_map_get_fd_by_id(id);

	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size))
		fprintf(report, " %s", info.name);
	else
		fprintf(report, " a removed map");
	if (fd >= 0)
		close(fd);
}

static void say_contents(int fd, const struct bpf_map_info *info)
{
	/* Values of each possible processor, each padded. */
	size_t room = ((size_t)info->value_size + 8) * 64;
	int holds_maps = info->type == BPF_MAP_TYPE_ARRAY_OF_MAPS || info->type == BPF_MAP_TYPE_HASH_OF_MAPS;
	int is_per_cpu = info->type == BPF_MAP_TYPE_PERCPU_ARRAY || info->type == BPF_MAP_TYPE_PERCPU_HASH ||
			 info->type == BPF_MAP_TYPE_LRU_PERCPU_HASH || info->type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
	char *key = calloc(1, info->key_size + 8), *value;
	int started = 0, count = 0;

	if (!is_per_cpu)
		room = (size_t)info->value_size + 8;
	value = calloc(1, room);
	if (!key || !value)
		exit(1);
	while (count < 512 && !bpf_map_get_next_key(fd, started ? key : NULL, key)) {
		started = 1;
		count++;
		memset(value, 0, room);
		if (bpf_map_lookup_elem(fd, key, value)) {
			/* Most of a large array may be empty. */
			if (errno != ENOENT)
				fprintf(report, "    %llx: errno %d\n", hash(key, info->key_size), errno);
			continue;
		}
		fprintf(report, "    %llx:", hash(key, info->key_size));
		if (holds_maps)
			say_map_name(*(unsigned int *)value);
		else
			fprintf(report, " %llx", hash(value, room));
		fprintf(report, "\n");
	}
	fprintf(report, "    %d keys, then errno %d\n", count, count < 512 ? errno : 0);
	free(key);
	free(value);
}

static void say_maps(void)
{
	unsigned int id = first_map;

	while (!bpf_map_get_next_id(id, &id)) {
		struct bpf_map_info info = {};
		__u32 size = sizeof(info);
		int fd = bpf_map_get_fd_by_id(id);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
			continue;
		if (!strcmp(info.name, "__loader.map")) {
			/* It goes a little later than the loader. */
			close(fd);
			continue;
		}
		/* Debian's bpftool has sections without variables that other kernels map anyway. */
		fprintf(report, "  map %s: type %u, key %u, value %u, entries %u, flags %#x, types %u %u, extra %llu\n",
			info.name, info.type, info.key_size, info.value_size, info.max_entries,
			info.map_flags & ~(strchr(info.name, '.') ? BPF_F_MMAPABLE : 0u), info.btf_key_type_id,
			info.btf_value_type_id, (unsigned long long)info.map_extra);
		say_contents(fd, &info);
		close(fd);
	}
}

static void say_programs(void)
{
	unsigned int id = first_program;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info), maps[64];
		int fd = bpf_prog_get_fd_by_id(id);

		info.map_ids = (unsigned long)maps;
		info.nr_map_ids = 64;
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
			continue;
		close(fd);
		if (!strcmp(info.name, "__loader.prog"))
			continue;
		fprintf(report, "  program %s: type %u, %u bytes, tag ", info.name, info.type, info.xlated_prog_len);
		for (int i = 0; i < 8; i++)
			fprintf(report, "%02x", info.tag[i]);
		fprintf(report, ", GPL %u, target %u of %u, functions %u, lines %u, maps", info.gpl_compatible,
			info.attach_btf_id, info.attach_btf_obj_id, info.nr_func_info, info.nr_line_info);
		for (unsigned int i = 0; i < info.nr_map_ids && i < 64; i++)
			say_map_name(maps[i]);
		fprintf(report, "\n");
	}
}

static void say_links(int result)
{
	unsigned int id = first_link;

	fprintf(report, "  attached: %d\n", result < 0 ? -1 : 0);
	while (!bpf_link_get_next_id(id, &id)) {
		char name[256] = "";
		struct bpf_link_info info = {};
		struct bpf_prog_info program = {};
		__u32 size = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id), prog;

		info.raw_tracepoint.tp_name = (unsigned long)name;
		info.raw_tracepoint.tp_name_len = sizeof(name);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
			continue;
		/* An iterator's target lies elsewhere, and nothing before the link's type is known says so. */
		if (info.type == BPF_LINK_TYPE_ITER) {
			memset(&info, 0, sizeof(info));
			size = sizeof(info);
			info.iter.target_name = (unsigned long)name;
			info.iter.target_name_len = sizeof(name);
			bpf_obj_get_info_by_fd(fd, &info, &size);
		}
		close(fd);
		prog = bpf_prog_get_fd_by_id(info.prog_id);
		size = sizeof(program);
		if (prog >= 0)
			bpf_obj_get_info_by_fd(prog, &program, &size);
		close(prog);
		fprintf(report, "  link of %s: type %u, %s", program.name, info.type, name);
		if (info.type == BPF_LINK_TYPE_TRACING)
			fprintf(report, "for %u, target %u of %u", info.tracing.attach_type,
				info.tracing.target_btf_id, info.tracing.target_obj_id);
		fprintf(report, "\n");
	}
}

static void say_loaded(void)
{
	say_maps();
	say_programs();
}

/* What loading by one side leads to, in words. A process of its own, so that nothing stays. */
static char *told(run_skeleton *run, int *result)
{
	char *text = NULL;
	size_t size = 0, room = 0;
	int pipes[2], status;
	pid_t child;

	if (pipe(pipes))
		exit(1);
	fflush(stdout);
	child = fork();
	if (!child) {
		report = fdopen(pipes[1], "w");
		close(pipes[0]);
		alarm(40);
		first_map = newest(bpf_map_get_next_id);
		first_program = newest(bpf_prog_get_next_id);
		first_link = newest(bpf_link_get_next_id);
		status = run(say_loaded, say_links);
		fprintf(report, "%d", status);
		fclose(report);
		_exit(0);
	}
	close(pipes[1]);
	do {
		if (room - size < 4096) {
			room += 1 << 16;
			text = realloc(text, room + 1);
			if (!text)
				exit(1);
		}
		status = read(pipes[0], text + size, room - size);
		size += status > 0 ? status : 0;
	} while (status > 0);
	text[size] = 0;
	close(pipes[0]);
	waitpid(child, &status, 0);
	/* The result is the last line. */
	char *line = strrchr(text, '\n');
	*result = status ? -1000 - status : atoi(line ? line + 1 : text);
	if (line)
		line[1] = 0;
	else
		text[0] = 0;
	return text;
}

/* What libbpf says of the object itself, which lies beside this program: the line that names the step. */
static int hear(enum libbpf_print_level level, const char *format, va_list arguments)
{
	static int count;
	char line[512];

	if (level != LIBBPF_WARN || count == 2)
		return 0;
	vsnprintf(line, sizeof(line), format, arguments);
	if (strstr(line, "failed") || strstr(line, "invalid")) {
		printf("# %.*s\n", (int)strcspn(line, "\n"), line);
		count++;
	}
	return 0;
}

static void say_reason(const char *name)
{
	char path[512];

	fflush(stdout);
	if (!fork()) {
		struct bpf_object *object;

		alarm(40);
		snprintf(path, sizeof(path), "%s.bpf.o", name);
		libbpf_set_print(hear);
		object = bpf_object__open_file(path, NULL);
		if (!object)
			printf("# libbpf does not open it: errno %d\n", errno);
		else if (!bpf_object__load(object))
			printf("# libbpf loads it without a loader\n");
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

static void say_difference(const char *ours, const char *theirs)
{
	while (*ours || *theirs) {
		size_t a = strcspn(ours, "\n"), b = strcspn(theirs, "\n");

		if (a != b || strncmp(ours, theirs, a)) {
			printf("# ours:   %.*s\n# theirs: %.*s\n", (int)a, ours, (int)b, theirs);
			return;
		}
		ours += a + (ours[a] != 0);
		theirs += b + (theirs[b] != 0);
	}
}

/* --- --- */

static int lines_with(const char *text, const char *start)
{
	int count = 0;

	for (; (text = strstr(text, start)); text++)
		count++;
	return count;
}

int main(int argc, char **argv)
{
	int same = 0, neither = 0, programs = 0, maps = 0, links = 0, failed = 0;

	if (argc == 3 && !strcmp(argv[1], "record")) {
		record_all(argv[2]);
		return 0;
	}
	printf("KTAP version 1\n1..%d\n", COUNT);
	for (int i = 0; i < COUNT; i++) {
		int ours, theirs;
		char *a = told(objects[i].run[0], &ours), *b = told(objects[i].run[1], &theirs);

		if (ours != theirs || strcmp(a, b)) {
			printf("# loading: ours %d, theirs %d\n", ours, theirs);
			say_difference(a, b);
			printf("not ok %d %s\n", i + 1, objects[i].name);
			failed++;
		} else if (ours) {
			say_reason(objects[i].name);
			printf("ok %d %s # SKIP neither loads: errno %d\n", i + 1, objects[i].name, -ours);
			neither++;
		} else {
			printf("ok %d %s\n", i + 1, objects[i].name);
			same++;
			programs += lines_with(a, "  program ");
			maps += lines_with(a, "  map ");
			links += lines_with(a, "  link ");
		}
		free(a);
		free(b);
	}
	printf("# objects %d: same %d (programs %d, maps %d, links %d), neither loads %d, different %d\n", COUNT, same,
	       programs, maps, links, neither, failed);
	return failed > 0;
}
