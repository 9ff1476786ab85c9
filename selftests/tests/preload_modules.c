// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Modules that `kbtf gen module` made: what is there while they are in, and that
 * nothing is left when they are gone or could not be loaded. A file `list` beside
 * this program names them, one a line, with what is to be expected:
 *
 *	attach FILE		programs run while it is in
 *	stay FILE		it cannot be unloaded
 *	keep FILE		its programs are left behind when it goes
 *	fails ERRNO FILE	it cannot be loaded
 *
 * What there is, is told by walking the kernel's ids of programs, maps, links and
 * BTF, and this process's descriptors. All is loaded and unloaded by one process.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "module.h"

#define ROUNDS		100
#define MAX_MODULES	64
#define MAX_IDS		512
#define MAX_FDS		256
#define FOREIGN		40
/* Programs, maps and links are freed some time after the last reference to them has gone. */
#define SETTLE_TRIES	500
#define SETTLE_PAUSE_MS	10

enum kind { ATTACH, STAY, KEEP, FAILS };

static struct module {
	enum kind kind;
	int error;
	char file[128];
} modules[MAX_MODULES];
static size_t nr_modules;

enum { PROGRAMS, MAPS, LINKS, BTFS, NR_SORTS };

static const char *const sort_names[NR_SORTS] = { "programs", "maps", "links", "BTF objects" };
static int (*const next_id[NR_SORTS])(__u32, __u32 *) = {
	bpf_prog_get_next_id, bpf_map_get_next_id, bpf_link_get_next_id, bpf_btf_get_next_id,
};

/* Sorted, as the kernel gives them. */
struct census {
	__u32 ids[NR_SORTS][MAX_IDS];
	size_t count[NR_SORTS];
};

static void take_census(struct census *census)
{
	int sort;

	memset(census, 0, sizeof(*census));
	for (sort = 0; sort < NR_SORTS; sort++) {
		__u32 id = 0;

		while (census->count[sort] < MAX_IDS && !next_id[sort](id, &id))
			census->ids[sort][census->count[sort]++] = id;
	}
}

static bool same_census(const struct census *one, const struct census *other, bool tell)
{
	bool same = true;
	int sort;

	for (sort = 0; sort < NR_SORTS; sort++) {
		if (one->count[sort] == other->count[sort] &&
		    !memcmp(one->ids[sort], other->ids[sort], one->count[sort] * sizeof(__u32)))
			continue;
		same = false;
		if (tell)
			note("%s: %zu before, %zu after", sort_names[sort], one->count[sort],
			     other->count[sort]);
	}
	return same;
}

/* Waits until all is as it was. */
static bool settled(const struct census *before)
{
	const struct timespec pause = { .tv_nsec = SETTLE_PAUSE_MS * 1000000L };
	static struct census now;
	int at;

	for (at = 0; at < SETTLE_TRIES; at++) {
		take_census(&now);
		if (same_census(before, &now, false))
			return true;
		nanosleep(&pause, NULL);
	}
	return same_census(before, &now, true);
}

/* What this process has open: for each number below MAX_FDS what it leads to. */
struct descriptors {
	char target[MAX_FDS][64];
};

static void take_descriptors(struct descriptors *open)
{
	char path[32];
	int fd;

	memset(open, 0, sizeof(*open));
	for (fd = 0; fd < MAX_FDS; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, open->target[fd], sizeof(open->target[fd]) - 1) < 0)
			open->target[fd][0] = 0;
	}
}

static bool same_descriptors(const struct descriptors *before)
{
	static struct descriptors now;
	bool same = true;
	int fd;

	take_descriptors(&now);
	for (fd = 0; fd < MAX_FDS; fd++) {
		if (!strcmp(before->target[fd], now.target[fd]))
			continue;
		same = false;
		note("fd %d was '%s', is '%s'", fd, before->target[fd], now.target[fd]);
	}
	return same;
}

static struct census before, during;
static struct descriptors open_before;

static bool read_list(void)
{
	FILE *list = fopen(beside("list"), "re");
	char line[256], word[16];

	if (!list)
		return false;
	while (fgets(line, sizeof(line), list) && nr_modules < MAX_MODULES) {
		struct module *module = &modules[nr_modules];

		if (sscanf(line, "fails %d %127s", &module->error, module->file) == 2)
			module->kind = FAILS;
		else if (sscanf(line, "%15s %127s", word, module->file) != 2)
			continue;
		else if (!strcmp(word, "attach"))
			module->kind = ATTACH;
		else if (!strcmp(word, "stay"))
			module->kind = STAY;
		else if (!strcmp(word, "keep"))
			module->kind = KEEP;
		else
			continue;
		nr_modules++;
	}
	fclose(list);
	return nr_modules > 0;
}

/* Descriptors that the module must neither close nor take for its own. */
static void open_foreign(int *fds)
{
	int at;

	for (at = 0; at < FOREIGN; at++)
		fds[at] = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void close_foreign(const int *fds)
{
	int at;

	for (at = 0; at < FOREIGN; at++)
		close(fds[at]);
}

/* In and out, with everything as it was after each step. */
static int round_of(const struct module *module)
{
	struct descriptors with_foreign;
	int foreign[FOREIGN];
	int error = load_module(beside(module->file), 0);

	if (error)
		note("%s: %s", module->file, strerror(-error));
	REQUIRE(!error);
	REQUIRE(same_descriptors(&open_before));
	take_census(&during);
	REQUIRE(during.count[PROGRAMS] > before.count[PROGRAMS]);
	REQUIRE(during.count[LINKS] > before.count[LINKS]);
	open_foreign(foreign);
	take_descriptors(&with_foreign);
	error = unload_module(beside(module->file));
	REQUIRE(same_descriptors(&with_foreign));
	close_foreign(foreign);
	REQUIRE(!error);
	REQUIRE(same_descriptors(&open_before));
	return 0;
}

static int rounds(void)
{
	size_t at;
	int round, result;

	REQUIRE(read_list());
	for (at = 0; at < nr_modules; at++) {
		if (modules[at].kind != ATTACH)
			continue;
		take_census(&before);
		take_descriptors(&open_before);
		for (round = 0; round < ROUNDS; round++) {
			result = round_of(&modules[at]);
			if (result) {
				note("%s: round %d", modules[at].file, round + 1);
				return result;
			}
			/* Once at once, then all together. */
			if (round == 0)
				REQUIRE(settled(&before));
		}
		REQUIRE(settled(&before));
		printf("# %s: %d rounds: +%zu programs, +%zu maps, +%zu links while in, none after\n",
		       modules[at].file, ROUNDS, during.count[PROGRAMS] - before.count[PROGRAMS],
		       during.count[MAPS] - before.count[MAPS],
		       during.count[LINKS] - before.count[LINKS]);
	}
	return 0;
}

/* Descriptors for skeletons begin with 1. */
static int no_stdin(void)
{
	int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 100);
	int result = 0;
	size_t at;

	REQUIRE(nr_modules);
	close(STDIN_FILENO);
	for (at = 0; at < nr_modules && !result; at++) {
		if (modules[at].kind != ATTACH)
			continue;
		take_census(&before);
		take_descriptors(&open_before);
		result = round_of(&modules[at]);
		if (!result && !settled(&before))
			result = failed(__FILE__, __LINE__, "settled(&before)");
		if (result)
			note("%s: with fd 0 free", modules[at].file);
	}
	if (saved >= 0)
		dup2(saved, STDIN_FILENO);
	close(saved);
	return result;
}

/* One descriptor after the other is the one too many: every step that makes one fails once. */
static int sweep(const struct module *module)
{
	struct rlimit limit, old;
	int fd, error = -EMFILE, failures = 0, result = 0;

	REQUIRE(!getrlimit(RLIMIT_NOFILE, &old));
	fd = open(beside(module->file), O_RDONLY | O_CLOEXEC);
	REQUIRE(fd >= 0);
	take_census(&before);
	take_descriptors(&open_before);
	limit = old;
	for (limit.rlim_cur = 0; limit.rlim_cur < MAX_FDS; limit.rlim_cur++) {
		REQUIRE(!setrlimit(RLIMIT_NOFILE, &limit));
		error = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
		REQUIRE(!setrlimit(RLIMIT_NOFILE, &old));
		if (!error)
			break;
		failures++;
		if (error != -EMFILE || !settled(&before) || !same_descriptors(&open_before)) {
			note("%s: limit %d: %s", module->file, (int)limit.rlim_cur, strerror(-error));
			result = failed(__FILE__, __LINE__, "nothing is left behind");
			break;
		}
	}
	close(fd);
	if (!error)
		unload_module(beside(module->file));
	if (result)
		return result;
	printf("# %s: %d limits that were too low\n", module->file, failures);
	REQUIRE(!error);
	/* The loader's two, a program and a link at least. */
	REQUIRE(failures > 4);
	REQUIRE(settled(&before));
	return 0;
}

static int few_descriptors(void)
{
	int saved, result = 0;
	size_t at;

	REQUIRE(nr_modules);
	for (at = 0; at < nr_modules && !result; at++)
		if (modules[at].kind == ATTACH)
			result = sweep(&modules[at]);
	if (result)
		return result;
	saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 100);
	close(STDIN_FILENO);
	for (at = 0; at < nr_modules && !result; at++)
		if (modules[at].kind == ATTACH)
			result = sweep(&modules[at]);
	if (saved >= 0)
		dup2(saved, STDIN_FILENO);
	close(saved);
	return result;
}

static int failures(void)
{
	int round, error;
	size_t at;

	REQUIRE(nr_modules);
	for (at = 0; at < nr_modules; at++) {
		if (modules[at].kind != FAILS)
			continue;
		take_census(&before);
		take_descriptors(&open_before);
		for (round = 0; round < 10; round++) {
			error = -load_module(beside(modules[at].file), 0);
			if (error != modules[at].error)
				note("%s: %s", modules[at].file, strerror(error));
			REQUIRE(error == modules[at].error);
			REQUIRE(same_descriptors(&open_before));
			REQUIRE(settled(&before));
		}
		printf("# %s: %s, nothing left\n", modules[at].file, strerror(error));
	}
	return 0;
}

/* Last, for what they bring stays. */
static int staying(void)
{
	struct module *module;
	char name[128];

	REQUIRE(nr_modules);
	for (module = modules; module < modules + nr_modules; module++) {
		if (module->kind != STAY && module->kind != KEEP)
			continue;
		take_census(&before);
		take_descriptors(&open_before);
		REQUIRE(!load_module(beside(module->file), 0));
		REQUIRE(same_descriptors(&open_before));
		take_census(&during);
		REQUIRE(during.count[LINKS] > before.count[LINKS]);
		module_name(module->file, name, sizeof(name));
		if (module->kind == STAY) {
			REQUIRE(syscall(SYS_delete_module, name, O_NONBLOCK) && errno == EBUSY);
		} else {
			REQUIRE(!unload_module(module->file));
			usleep(300000);
		}
		REQUIRE(settled(&during));
		REQUIRE(same_descriptors(&open_before));
	}
	return 0;
}

static const struct point points[] = {
	{ "rounds", rounds },
	{ "no_stdin", no_stdin },
	{ "few_descriptors", few_descriptors },
	{ "failures", failures },
	{ "staying", staying },
};

int main(void)
{
	return run_points(points, sizeof(points) / sizeof(*points), NULL);
}
