// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Preloaded objects, seen from other namespaces. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kept.h"

/* In a mount namespace of its own, or in a user namespace as nobody in particular. */
static int in_namespace(int flags, int (*run)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (flags & CLONE_NEWUSER && (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000)))
			_exit(2);
		if (unshare(flags) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
			_exit(3);
		_exit(run());
	}
	REQUIRE(child > 0 && waitpid(child, &status, 0) == child);
	if (WEXITSTATUS(status))
		note("status %d", status);
	REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return 0;
}

static int mount_and_look(void)
{
	return !mount_bpffs("/round") || names_in("/round") || umount("/round");
}

static int mount_is_refused(void)
{
	return !mount("bpf", "/tmp", "bpf", 0, NULL) || errno != EPERM;
}

int mount_namespace(void)
{
	return in_namespace(CLONE_NEWNS, mount_and_look);
}

/*
 * An instance that belongs to a user namespace, which takes root to make: as for
 * BPF tokens, one who has no rights configures it, and root creates it.
 */
int user_namespace(void)
{
	int sockets[2], filesystem = -1, tree, folder;
	char byte = 0;
	size_t size;
	char *before, *after;
	pid_t child;

	REQUIRE(!in_namespace(CLONE_NEWUSER | CLONE_NEWNS, mount_is_refused));
	before = (char *)read_whole("/requests", &size);
	REQUIRE(!pipe2(sockets, O_CLOEXEC));
	child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
	if (child == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
			_exit(1);
		filesystem = syscall(SYS_fsopen, "bpf", 0);
		byte = filesystem;
		if (write(sockets[1], &byte, 1) != 1)
			_exit(2);
		pause();
	}
	REQUIRE(read(sockets[0], &byte, 1) == 1);
	filesystem = byte;
	REQUIRE(filesystem > 0);
	REQUIRE(!syscall(SYS_fsconfig, filesystem, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	tree = syscall(SYS_fsmount, filesystem, 0, 0);
	REQUIRE(tree >= 0);
	folder = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(folder >= 0);
	{
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/fd/%d", folder);
		REQUIRE(count_names(path, NULL) == 0);
	}
	close(folder);
	close(tree);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(filesystem);
	close(sockets[0]);
	close(sockets[1]);
	after = (char *)read_whole("/requests", &size);
	/* Without modules there are no requests at all. */
	REQUIRE(before || access("/modules", F_OK));
	REQUIRE(before ? after && !strcmp(before, after) : !after);
	free(before);
	free(after);
	return 0;
}
