// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A BPF program at a hook of the security layer: needs lsm=bpf on the kernel's command line. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "module.h"

#define SECRET	"/tmp/secret"

EMBED(lsm);

static bool has_bpf_lsm(void)
{
	unsigned char *names;
	size_t size;
	bool found;

	/* Fails if it is already mounted. */
	mount("securityfs", "/sys/kernel/security", "securityfs", 0, NULL);
	names = read_whole("/sys/kernel/security/lsm", &size);
	if (!names)
		return false;
	found = strstr((char *)names, "bpf") != NULL;
	free(names);
	return found;
}

static int active(void)
{
	REQUIRE(has_bpf_lsm());
	return 0;
}

static int file_open(void)
{
	struct bpf_object *object;
	struct stat status;
	int fd;

	fd = open(SECRET, O_CREAT | O_TRUNC | O_RDWR, 0600);
	REQUIRE(fd >= 0);
	REQUIRE(write(fd, "0123456789\n", 11) == 11);
	REQUIRE(!fstat(fd, &status));
	close(fd);

	object = loaded(&lsm);
	REQUIRE(object);
	set_global(object, "my_inode", status.st_ino);
	set_global(object, "my_pid", getpid());
	REQUIRE(attached(object, "opened"));

	fd = open(SECRET, O_RDONLY);
	REQUIRE(passed(object, "opened"));
	REQUIRE(fd < 0 && errno == EPERM);
	REQUIRE(global(object, "opened_runs") == 1);
	REQUIRE(global(object, "denied") == 1);

	fd = open("/proc/self/status", O_RDONLY);
	REQUIRE(fd >= 0);
	close(fd);
	return 0;
}

static const struct point points[] = {
	{ "active", active },
	{ "file_open", file_open },
};

int main(void)
{
	return run_points(points, sizeof(points) / sizeof(*points), NULL);
}
