// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a loader of guard.bpf.c does: it names itself, mounts an instance of bpffs,
 * which gets the mark, and pins the guard's own links in it. These cannot be
 * removed then; in another instance they can.
 */
#define _GNU_SOURCE
#include "preload_test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

static const char *const programs[] = {
	"guard_mount", "guard_umount", "guard_unlink", "guard_rename",
};

static int pin_all(const char *folder)
{
	char path[128];
	size_t at;

	for (at = 0; at < sizeof(programs) / sizeof(*programs); at++) {
		int fd = link_fd(programs[at]);

		REQUIRE(fd >= 0);
		snprintf(path, sizeof(path), "%s/%s", folder, programs[at]);
		REQUIRE(!bpf_obj_pin(fd, path));
		close(fd);
	}
	return 0;
}

static bool is_denied(long result)
{
	return result < 0 && errno == EPERM;
}

static int guarded(void)
{
	__u64 marked, denied;
	__u32 mounter = getpid();

	REQUIRE(!mkdir("guarded", 0700) && !mkdir("free", 0700));
	REQUIRE(write_variable("mounter", &mounter, sizeof(mounter)));
	REQUIRE(!mount("bpf", "guarded", "bpf", 0, NULL));
	REQUIRE(read_variable("marked", &marked, sizeof(marked)) && marked == 1);
	/* The mark is given once. */
	REQUIRE(read_variable("mounter", &mounter, sizeof(mounter)) && mounter == 0);
	REQUIRE(!mount("bpf", "free", "bpf", 0, NULL));
	REQUIRE(!pin_all("guarded") && !pin_all("free"));

	REQUIRE(is_denied(unlink("guarded/guard_unlink")));
	REQUIRE(is_denied(rename("guarded/guard_mount", "guarded/guard_unlink")));
	REQUIRE(is_denied(umount2("guarded", 0)));
	REQUIRE(is_denied(umount2("guarded", MNT_DETACH)));
	REQUIRE(read_variable("denied", &denied, sizeof(denied)) && denied == 4);
	REQUIRE(!access("guarded/guard_unlink", F_OK));

	REQUIRE(!rename("free/guard_mount", "free/guard_unlink"));
	REQUIRE(!unlink("free/guard_unlink"));
	REQUIRE(!umount2("free", 0));
	return 0;
}

/* In a mount namespace of its own, with whose last process the guarded instance goes. */
int trigger(void)
{
	char folder[] = "/tmp/guard.XXXXXX";
	int status;
	pid_t child;

	if (!has_bpf_lsm())
		return skip("bpf is not among the kernel's security modules (lsm=bpf)");
	REQUIRE(mkdtemp(folder));
	child = fork();
	if (child == 0) {
		int result = FAILED;

		if (!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
		    !chdir(folder))
			result = guarded();
		fflush(stdout);
		_exit(result);
	}
	REQUIRE(waitpid(child, &status, 0) == child);
	REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return 0;
}
