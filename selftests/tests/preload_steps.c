// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A module whose programs hang on hooks of the security layer: each of them fails
 * once to attach, because its hook is full, with those before it attached already;
 * and memory runs out at many places. Nothing may be left behind. A file `module`
 * beside this program names it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "census.h"
#include "harness.h"
#include "module.h"

#define MAX_HOOKS	64
/* More than any trampoline takes (BPF_MAX_TRAMP_LINKS). */
#define MAX_FILLERS	64
#define GROUP		"/sys/fs/cgroup/preload_steps"

static struct census before, during, filled;
static struct descriptors open_before, open_filled;
static char file[128];

static bool read_name(void)
{
	FILE *named = fopen(beside("module"), "re");
	bool got = named && fscanf(named, "%127s", file) == 1;

	if (named)
		fclose(named);
	return got;
}

/* Was it there before the module? */
static bool is_old(__u32 program)
{
	size_t at;

	for (at = 0; at < before.count[PROGRAMS]; at++)
		if (before.ids[PROGRAMS][at] == program)
			return true;
	return false;
}

/* The functions that the module's programs hang on, by id in the kernel's BTF. */
static size_t find_hooks(__u32 *hooks)
{
	size_t at, known, count = 0;

	for (at = 0; at < during.count[PROGRAMS] && count < MAX_HOOKS; at++) {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);
		int fd;

		if (is_old(during.ids[PROGRAMS][at]))
			continue;
		fd = bpf_prog_get_fd_by_id(during.ids[PROGRAMS][at]);
		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.type == BPF_PROG_TYPE_LSM) {
			for (known = 0; known < count; known++)
				if (hooks[known] == info.attach_btf_id)
					break;
			if (known == count)
				hooks[count++] = info.attach_btf_id;
		}
		close(fd);
	}
	return count;
}

/* Programs that do nothing, until the hook takes no more. */
static int fill(__u32 hook, int *fds)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_LSM_MAC,
		    .attach_btf_id = hook);
	int count = 0;

	while (count < MAX_FILLERS) {
		int program = bpf_prog_load(BPF_PROG_TYPE_LSM, "filler", "GPL", nothing, 2, &options);
		int link = program < 0 ? program : bpf_raw_tracepoint_open(NULL, program);

		if (program >= 0)
			close(program);
		if (link < 0)
			return link == -E2BIG ? count : link;
		fds[count++] = link;
	}
	return -ENOSPC;
}

static int full_hooks(void)
{
	int fds[MAX_FILLERS], fillers, error, at;
	__u32 hooks[MAX_HOOKS];
	size_t count, hook;

	REQUIRE(read_name());
	take_quiet_census(&before);
	take_descriptors(&open_before);
	REQUIRE(!load_module(beside(file), 0));
	take_quiet_census(&during);
	count = find_hooks(hooks);
	REQUIRE(count > 0);
	REQUIRE(!unload_module(beside(file)));
	REQUIRE(settled(&before));
	for (hook = 0; hook < count; hook++) {
		fillers = fill(hooks[hook], fds);
		if (fillers < 0)
			note("hook %u: %s", hooks[hook], strerror(-fillers));
		REQUIRE(fillers > 0);
		take_quiet_census(&filled);
		take_descriptors(&open_filled);
		error = load_module(beside(file), 0);
		if (error != -E2BIG)
			note("hook %u: %s", hooks[hook], strerror(-error));
		REQUIRE(error == -E2BIG);
		REQUIRE(same_descriptors(&open_filled));
		REQUIRE(settled(&filled));
		for (at = 0; at < fillers; at++)
			close(fds[at]);
		REQUIRE(settled(&before));
	}
	printf("# %s: %zu hooks, each full once: nothing left\n", file, count);
	REQUIRE(same_descriptors(&open_before));
	return 0;
}

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* In a child with that much memory: what came of it, as an errno, or a signal as a negative number. */
static int load_within(int pages)
{
	char limit[32];
	int status;
	pid_t child;

	snprintf(limit, sizeof(limit), "%d", pages * 4096);
	child = fork();
	if (child == 0) {
		if (!put(GROUP "/cgroup.procs", "0"))
			_exit(255);
		/* What is used already counts too. */
		if (!put(GROUP "/memory.max", limit))
			_exit(254);
		_exit(-load_module(beside(file), 0));
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 255;
	put(GROUP "/memory.max", "max");
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int little_memory(void)
{
	int pages, result = -1, failures = 0, killed = 0;

	REQUIRE(read_name());
	put("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755) || access(GROUP "/memory.max", F_OK))
		return skip("no memory control groups");
	take_quiet_census(&before);
	take_descriptors(&open_before);
	for (pages = 4; pages < 4096; pages += pages / 16 + 1) {
		result = load_within(pages);
		REQUIRE(result < 254);
		if (!result)
			break;
		failures++;
		killed += result < 0;
		if (result > 0 && result != ENOMEM)
			note("%d pages: %s", pages, strerror(result));
		REQUIRE(result < 0 || result == ENOMEM);
		/* Whom the kernel killed for memory may have loaded it before. */
		if (result < 0)
			unload_module(beside(file));
		REQUIRE(settled(&before));
	}
	printf("# %s: %d limits on memory that were too low, killed %d times: nothing left\n", file,
	       failures, killed);
	REQUIRE(!result);
	REQUIRE(!unload_module(beside(file)));
	REQUIRE(settled(&before));
	REQUIRE(same_descriptors(&open_before));
	rmdir(GROUP);
	return 0;
}

static const struct point points[] = {
	{ "full_hooks", full_hooks },
	{ "little_memory", little_memory },
};

int main(void)
{
	return run_points(points, sizeof(points) / sizeof(*points), NULL);
}
