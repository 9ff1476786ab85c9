// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Loads every module of a list, a file `list` beside this program: a path a line,
 * from the same directory, what a module needs before it. Each that loads must show
 * the BTF of its file, and none may be refused because of its BTF. Other reasons
 * not to load are counted by errno: most drivers miss their device here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "module.h"

#define MAX_ERRNO	1024
#define MAX_SAMPLES	400
/* A probe that waits for a device that is not there takes its time under emulation. */
#define LOAD_SECONDS	60

static struct {
	int listed, loaded, already, same, without, hung;
	int absent, other, refused;
	int errors[MAX_ERRNO];
} counts;

/* What went wrong with which module, shown at the end of the point that it is for. */
struct names {
	char text[MAX_SAMPLES * 64];
	size_t length;
};

static struct names absent_names, refused_names, hung_names, errno_names[MAX_ERRNO];

static void add_name(struct names *names, const char *name)
{
	size_t room = sizeof(names->text) - names->length;
	int length = snprintf(names->text + names->length, room, " %s", name);

	if (length > 0 && (size_t)length < room)
		names->length += length;
	else
		names->text[names->length] = 0;
}

/* Where the child leaves its errno, which may be one of the kernel's own above 255. */
static int *result;

/* Loads in a child, which can be left behind when the kernel does not come back. */
static int load_with_deadline(const char *path, bool *hung)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	struct timespec start, now;
	pid_t child;
	int status;

	*hung = false;
	*result = 0;
	child = fork();
	if (child == 0) {
		*result = load_module(path, 0);
		_exit(0);
	}
	if (child < 0)
		return -errno;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		if (waitpid(child, &status, WNOHANG) == child)
			break;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - start.tv_sec > LOAD_SECONDS) {
			kill(child, SIGKILL);
			*hung = true;
			return 0;
		}
		nanosleep(&pause, NULL);
	}
	/* The kernel killed it where it hit a bug. */
	if (WIFSIGNALED(status)) {
		*hung = true;
		return 0;
	}
	return *result;
}

/* Modules that the kernel says in its log to have refused for their BTF. */
static void read_log(int log)
{
	static const char mark[] = "failed to validate module [";
	char record[8192], *name;
	ssize_t length;

	for (;;) {
		length = read(log, record, sizeof(record) - 1);
		if (length < 0 && errno == EPIPE)
			continue;
		if (length <= 0)
			return;
		record[length] = 0;
		name = strstr(record, mark);
		if (!name)
			continue;
		name += sizeof(mark) - 1;
		name[strcspn(name, "]\n")] = 0;
		counts.refused++;
		add_name(&refused_names, name);
	}
}

static void load_one(const char *relative)
{
	char path[4096], name[256];
	unsigned char *btf;
	size_t size;
	bool hung;
	int error;

	snprintf(path, sizeof(path), "%s", beside(relative));
	module_name(path, name, sizeof(name));
	counts.listed++;
	error = -load_with_deadline(path, &hung);
	if (hung) {
		counts.hung++;
		add_name(&hung_names, name);
		return;
	}
	if (error == EEXIST) {
		counts.already++;
		return;
	}
	if (error) {
		counts.errors[error % MAX_ERRNO]++;
		add_name(&errno_names[error % MAX_ERRNO], name);
		return;
	}
	counts.loaded++;
	btf = read_section(path, ".BTF", &size);
	free(btf);
	if (!btf) {
		counts.without++;
		return;
	}
	switch (compare_btf(path)) {
	case BTF_SAME:
		counts.same++;
		break;
	case BTF_ABSENT:
		counts.absent++;
		add_name(&absent_names, name);
		break;
	case BTF_OTHER:
		counts.other++;
		add_name(&absent_names, name);
		break;
	}
}

static int load_all(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	FILE *list = fopen(beside("list"), "re");
	char line[1024];

	REQUIRE(list);
	REQUIRE(log >= 0);
	result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(result != MAP_FAILED);
	lseek(log, 0, SEEK_END);
	while (fgets(line, sizeof(line), list)) {
		line[strcspn(line, "\n")] = 0;
		load_one(line);
		read_log(log);
	}
	fclose(list);
	close(log);
	REQUIRE(counts.listed > 0);
	REQUIRE(counts.loaded > 0);
	return 0;
}

static int btf_shown(void)
{
	note("without their BTF in sysfs:%s", absent_names.text);
	REQUIRE(counts.absent == 0);
	REQUIRE(counts.other == 0);
	REQUIRE(counts.same + counts.without == counts.loaded);
	REQUIRE(counts.same > 0);
	return 0;
}

static int none_refused(void)
{
	note("refused by their BTF:%s", refused_names.text);
	REQUIRE(counts.refused == 0);
	return 0;
}

static void print_names(const struct names *names)
{
	const char *at = names->text;

	/* Lines of a console are better short. */
	while (*at) {
		size_t length = strlen(at);

		if (length > 90) {
			length = 90;
			while (length && at[length] != ' ')
				length--;
		}
		printf("#    %.*s\n", (int)length, at);
		at += length;
	}
}

static int told(void)
{
	int error;

	printf("# listed %d, loaded %d: %d with their BTF in sysfs, %d that have none; %d built in or loaded before\n",
	       counts.listed, counts.loaded, counts.same, counts.without, counts.already);
	printf("# BTF refused %d, absent %d, other %d\n", counts.refused, counts.absent, counts.other);
	for (error = 1; error < MAX_ERRNO; error++) {
		if (!counts.errors[error])
			continue;
		printf("# %s: %d\n", strerrorname_np(error) ? strerrorname_np(error) : "unknown errno",
		       counts.errors[error]);
		print_names(&errno_names[error]);
	}
	if (counts.hung) {
		printf("# did not come back: %d\n", counts.hung);
		print_names(&hung_names);
	}
	REQUIRE(counts.loaded + counts.already + counts.hung <= counts.listed);
	return 0;
}

static const struct point points[] = {
	{ "load", load_all },
	{ "none_refused", none_refused },
	{ "btf_in_sysfs", btf_shown },
	{ "counts", told },
};

int main(void)
{
	return run_points(points, sizeof(points) / sizeof(*points), NULL);
}
