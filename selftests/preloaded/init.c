// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The first process of a patched kernel that was booted with a list of objects to
 * preload, see selftests/preloaded.sh. Only signed modules are loaded there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tests/kmemleak.h"
#include "kept.h"

/* Links of objects that are not on the list. */
static size_t links_elsewhere;

/* The console is all that the first process has; nothing is mounted yet that could have objects. */
static int before_user_space(void)
{
	const char *started, *log = kernel_log();
	size_t at, file, links = 0;
	char line[128];
	int fd;

	for (fd = 3; fd < MAX_FDS; fd++)
		REQUIRE(!open_at_start.target[fd][0]);
	started = strstr(log, "Run /init as init process");
	REQUIRE(started);
	for (at = 0; at < nr_objects; at++) {
		const char *kept;

		snprintf(line, sizeof(line), "bpf_preload: %s: kept", objects[at].name);
		kept = strstr(log, line);
		if (!kept || kept > started)
			note("%s", line);
		REQUIRE(kept && kept < started);
		for (file = 0; objects[at].links[file]; file++)
			links++;
	}
	links += links_elsewhere;
	if (at_start.count[LINKS] != links)
		note("%zu links, not %zu", at_start.count[LINKS], links);
	REQUIRE(at_start.count[LINKS] == links);
	return 0;
}

/* In the order of the list, each once, whatever became of it. */
static int requests(void)
{
	static const char expected[] = "bpf_preload\npolicy\nevents\nguard\nbroken\nunsealed\nno_such\n"
				       "late\nkbtf_preload_half\n";
	const char *objects_from;
	size_t size;
	char *text = (char *)read_whole("/requests", &size);

	REQUIRE(text);
	/* Before them, verifying the first signature asked for ciphers. */
	objects_from = strstr(text, "bpf_preload\n");
	if (!objects_from || strcmp(objects_from, expected))
		note("requests: %s", text);
	REQUIRE(objects_from && !strcmp(objects_from, expected));
	free(text);
	return 0;
}

static int one_line_each(void)
{
	const char *log = kernel_log();
	size_t at;

	for (at = 0; at < nr_failures; at++) {
		if (count(log, failures[at].said) != 1)
			note("%d times: %s", count(log, failures[at].said), failures[at].said);
		REQUIRE(count(log, failures[at].said) == 1);
	}
	REQUIRE(count(log, "bpf_preload: '../bad' is no name of a module") == 1);
	/* One of the objects has the name that all lines begin with. */
	REQUIRE(count(log, "bpf_preload: ") == (int)(1 + nr_objects + nr_failures + 1));
	return 0;
}

static int names(void)
{
	int result;

	REQUIRE(mount_bpffs("/bpf") && mount_bpffs("/second"));
	result = names_in("/bpf") || names_in("/second");
	REQUIRE(!umount("/second"));
	return result;
}

/* Names with dots are the kernel's. */
static int dots(void)
{
	REQUIRE(mkdir("/bpf/policy/a.b", 0700) && errno == EPERM);
	REQUIRE(mkdir("/bpf/a.b", 0700) && errno == EPERM);
	REQUIRE(!mkdir("/bpf/policy/ab", 0700) && !rmdir("/bpf/policy/ab"));
	return 0;
}

/* With an empty list no module is requested. */
static int nothing(void)
{
	char *requested;
	size_t size;

	REQUIRE(mount_bpffs("/bpf"));
	REQUIRE(count_names("/bpf", NULL) == 0);
	/* The kernel may have wished for other modules than those of objects. */
	requested = (char *)read_whole("/requests", &size);
	REQUIRE(!requested || !strstr(requested, "bpf"));
	free(requested);
	REQUIRE(!umount("/bpf"));
	return 0;
}

/* Without a word on the command line, the iterators as on all kernels. A kernel that has them built in needs no module. */
static int by_default(void)
{
	bool requested, loaded = !access("/sys/module/bpf_preload/refcnt", F_OK);
	const char *log = kernel_log();
	size_t size;
	char *text = (char *)read_whole("/requests", &size);

	requested = text && strstr(text, "bpf_preload");
	free(text);
	REQUIRE(requested == loaded);
	REQUIRE(count(log, "bpf_preload: bpf_preload: kept") == 1);
	REQUIRE(count(log, "bpf_preload: ") == 2);
	REQUIRE(at_start.count[LINKS] == 2);
	REQUIRE(mount_bpffs("/bpf"));
	REQUIRE(count_names("/bpf", NULL) == 2);
	REQUIRE(tells("/bpf/maps.debug", "rodata"));
	REQUIRE(tells("/bpf/progs.debug", "dump_bpf_map"));
	REQUIRE(!umount("/bpf"));
	return 0;
}

/* In a kernel without modules: nothing is requested, and the second object of a name is refused. */
static int built_in(void)
{
	const char *log = kernel_log();

	REQUIRE(access("/proc/modules", F_OK));
	REQUIRE(access("/requests", F_OK));
	REQUIRE(count(log, "bpf_preload: bpf_preload: another module has it already") == 1);
	REQUIRE(count(log, "published: nothing is published: the kernel wants no bpf_preload") == 1);
	/* Two lines are about the object with the name that all lines begin with. */
	REQUIRE(count(log, "bpf_preload: ") == (int)(nr_objects + 1 + 2));
	return 0;
}

static int built_in_iterators(void)
{
	REQUIRE(tells("/bpf/maps.debug", "rules"));
	REQUIRE(tells("/bpf/progs.debug", "dump_bpf_map"));
	return 0;
}

static const struct point with_list_built_in[] = {
	{ "before_user_space", before_user_space },
	{ "built_in", built_in },
	{ "names", names },
	{ "dots", dots },
	{ "iterators", built_in_iterators },
	{ "policy", policy },
	{ "guarded", guarded },
	{ "mount_namespace", mount_namespace },
	{ "user_namespace", user_namespace },
};
static const struct point with_list[] = {
	{ "before_user_space", before_user_space },
	{ "requests", requests },
	{ "one_line_each", one_line_each },
	{ "names", names },
	{ "dots", dots },
	{ "iterators", iterators },
	{ "policy", policy },
	{ "events", events },
	{ "guarded", guarded },
	{ "rounds", rounds },
	{ "removal", removal },
	{ "refused_pin", refused_pin },
	{ "mount_namespace", mount_namespace },
	{ "user_namespace", user_namespace },
	{ "late", late },
	{ "second_try", second_try },
	{ "no_leaks", no_leaks },
};
static const struct point with_empty_list[] = {
	{ "nothing", nothing },
};
static const struct point without_list[] = {
	{ "by_default", by_default },
};

#define RUN(points)	run_points(points, sizeof(points) / sizeof(*(points)), NULL)

int main(void)
{
	size_t size;
	char *line;

	mount("proc", "/proc", "proc", 0, NULL);
	take_descriptors(&open_at_start);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
	take_quiet_census(&at_start);
	line = (char *)read_whole("/proc/cmdline", &size);
	if (strstr(line, "bpf_preload_list= "))
		RUN(with_empty_list);
	else if (strstr(line, "bpf_preload_list=") && access("/modules", F_OK)) {
		nr_objects--;
		/* Those of the object that is published nowhere. */
		links_elsewhere = 2;
		RUN(with_list_built_in);
	} else if (strstr(line, "bpf_preload_list="))
		RUN(with_list);
	else
		RUN(without_list);
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
