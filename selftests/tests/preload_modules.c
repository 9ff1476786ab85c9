// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Modules that `kbtf gen module` made: what exists while they are loaded, and that
 * nothing is left when they are gone or could not be loaded. A file `list` beside
 * this program names them, one a line, with what is to be expected:
 *
 *	attach FILE		programs run while it is in
 *	stay FILE		it cannot be unloaded
 *	keep FILE		its programs are left behind when it goes
 *	fails ERRNO FILE	it cannot be loaded
 *	needs FILE		to be loaded before those that cannot be
 *	rounds NUMBER		how often each is loaded and unloaded
 *
 * What exists is determined by walking the kernel's ids of programs, maps, links and
 * BTF, and this process's descriptors. All is loaded and unloaded by one process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "census.h"
#include "harness.h"
#include "module.h"

#define MAX_MODULES	64
#define FOREIGN		40
#define FAILURES	10

enum kind { ATTACH, STAY, KEEP, NEEDS, FAILS };

static struct module {
	enum kind kind;
	int error;
	char file[128];
} modules[MAX_MODULES];
static size_t nr_modules;
static int nr_rounds = 100;

static struct census before, during, after, in;
static struct descriptors open_before;

static bool read_list(void)
{
	FILE *list = fopen(beside("list"), "re");
	char line[256], word[16];

	if (!list)
		return false;
	while (fgets(line, sizeof(line), list) && nr_modules < MAX_MODULES) {
		struct module *module = &modules[nr_modules];

		if (sscanf(line, "rounds %d", &nr_rounds) == 1)
			continue;
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
		else if (!strcmp(word, "needs"))
			module->kind = NEEDS;
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
static int round_of(const struct module *module, bool first)
{
	struct descriptors with_foreign;
	int foreign[FOREIGN];
	int error = load_module(beside(module->file), 0);

	if (error)
		note("%s: %s", module->file, strerror(-error));
	REQUIRE(!error);
	REQUIRE(same_descriptors(&open_before));
	if (first)
		take_quiet_census(&during);
	else
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
		for (round = 0; round < nr_rounds; round++) {
			result = round_of(&modules[at], round == 0);
			if (result) {
				note("%s: round %d", modules[at].file, round + 1);
				return result;
			}
			/* Once at once, then all together. */
			if (round == 0) {
				REQUIRE(settled(&before));
				in = during;
			}
		}
		REQUIRE(settled(&before));
		printf("# %s: %d rounds: +%zu programs, +%zu maps, +%zu links while in, none after\n",
		       modules[at].file, nr_rounds, in.count[PROGRAMS] - before.count[PROGRAMS],
		       in.count[MAPS] - before.count[MAPS],
		       in.count[LINKS] - before.count[LINKS]);
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
		result = round_of(&modules[at], false);
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
	for (at = 0; at < nr_modules; at++)
		if (modules[at].kind == NEEDS)
			REQUIRE(!load_module(beside(modules[at].file), 0));
	for (at = 0; at < nr_modules; at++) {
		if (modules[at].kind != FAILS)
			continue;
		take_census(&before);
		take_descriptors(&open_before);
		for (round = 0; round < FAILURES; round++) {
			error = -load_module(beside(modules[at].file), 0);
			if (error != modules[at].error)
				note("%s: %s", modules[at].file, strerror(error));
			REQUIRE(error == modules[at].error);
			REQUIRE(same_descriptors(&open_before));
			REQUIRE(settled(&before));
		}
		printf("# %s: %s, nothing left\n", modules[at].file, strerror(error));
	}
	for (at = 0; at < nr_modules; at++)
		if (modules[at].kind == NEEDS)
			REQUIRE(!unload_module(beside(modules[at].file)));
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
		take_quiet_census(&during);
		REQUIRE(during.count[LINKS] > before.count[LINKS]);
		module_name(module->file, name, sizeof(name));
		if (module->kind == STAY) {
			REQUIRE(syscall(SYS_delete_module, name, O_NONBLOCK) && errno == EBUSY);
		} else {
			REQUIRE(!unload_module(module->file));
		}
		take_quiet_census(&after);
		REQUIRE(settled(&during));
		REQUIRE(after.count[LINKS] == during.count[LINKS]);
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
