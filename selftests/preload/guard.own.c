// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the guard forbids in the instance that guard_loader has mounted, and nowhere
 * else: each operation there and in another instance.
 */
#define _GNU_SOURCE
#include "preload_test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

static const char *const programs[] = {
	"guard_mount", "guard_umount", "guard_unlink", "guard_rename", "guard_remount",
	"guard_mount_on", "guard_move", "guard_create", "guard_mkdir", "guard_symlink",
	"guard_link", "guard_rmdir", "guard_bpf",
};
#define NR_PROGRAMS	(sizeof(programs) / sizeof(*programs))

static int unlink_file(void) { return unlink("guard/guard_unlink"); }
static int rename_file(void) { return rename("guard/guard_mount", "guard/guard_rename"); }
static int make_folder(void) { return mkdir("new", 0700); }
static int remove_folder(void) { return rmdir("empty"); }
static int make_symlink(void) { return symlink("guard", "symlink"); }
static int make_link(void) { return link("guard/guard_umount", "guard/link"); }
static int remount(void) { return mount(NULL, ".", NULL, MS_REMOUNT, "mode=0755"); }
static int remount_place(void) { return mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_NOEXEC, NULL); }

static int make_file(void)
{
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "new", 4, 4, 1, NULL), error;

	error = map < 0 ? -1 : bpf_obj_pin(map, "guard/new");
	if (error)
		errno = -error;
	close(map);
	return error ? -1 : 0;
}

/* Other options of the instance, not by mount(). */
static int reconfigure(void)
{
	int fd = fspick(AT_FDCWD, ".", FSPICK_CLOEXEC), error;

	error = fd < 0 ? -1 : fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
	if (fd >= 0)
		close(fd);
	return error;
}

/* Something that hides it. */
static int cover(void)
{
	if (mount("tmpfs", "guard", "tmpfs", 0, NULL))
		return -1;
	return umount2("guard", 0);
}

/* There and back. */
static int move(const char *name)
{
	if (syscall(SYS_move_mount, AT_FDCWD, name, AT_FDCWD, "elsewhere", 0))
		return -1;
	return syscall(SYS_move_mount, AT_FDCWD, "elsewhere", AT_FDCWD, name, 0);
}

/* In the instance. Those that remove something come last. */
static const struct {
	const char *name;
	int (*run)(void);
} operations[] = {
	{ "create", make_file },
	{ "mkdir", make_folder },
	{ "symlink", make_symlink },
	{ "link", make_link },
	{ "remount", remount },
	{ "remount with bind", remount_place },
	{ "reconfigure", reconfigure },
	{ "mount on it", cover },
	{ "rmdir", remove_folder },
	{ "rename", rename_file },
	{ "unlink", unlink_file },
};
#define NR_OPERATIONS	(sizeof(operations) / sizeof(*operations))

static bool is_denied(long result)
{
	return result < 0 && errno == EPERM;
}

/* Descriptors that this process may not have. */
static bool is_closed(int fd, const char *name)
{
	if (fd >= 0) {
		note("%s can be opened by its id", name);
		close(fd);
	}
	return fd < 0;
}

static int pin_all(const char *folder)
{
	char path[128];
	size_t at;

	for (at = 0; at < NR_PROGRAMS; at++) {
		int fd = link_fd(programs[at]);

		REQUIRE(fd >= 0);
		snprintf(path, sizeof(path), "%s/%s", folder, programs[at]);
		REQUIRE(!bpf_obj_pin(fd, path));
		close(fd);
	}
	return 0;
}

/* Runs the loader; KEEPER is the process of the test. */
static int run_loader(const char *folder)
{
	static char content[65536];
	char keeper[16], path[] = "./guard_loader";
	int status, from, to;
	ssize_t length;
	pid_t child;

	snprintf(keeper, sizeof(keeper), "%d", getppid());
	/* What is beside the test cannot be run: guests take programs for tests. */
	from = open(beside("guard_loader"), O_RDONLY | O_CLOEXEC);
	to = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
	REQUIRE(from >= 0 && to >= 0);
	while ((length = read(from, content, sizeof(content))) > 0)
		REQUIRE(write(to, content, length) == length);
	REQUIRE(!length && !close(from) && !close(to));
	child = fork();
	if (child == 0) {
		execl(path, path, folder, keeper, NULL);
		_exit(127);
	}
	REQUIRE(waitpid(child, &status, 0) == child);
	REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return 0;
}

static int guarded(void)
{
	struct stat status;
	char path[128];
	size_t at;

	REQUIRE(!mkdir("guarded", 0700) && !mkdir("free", 0700) && !mkdir("elsewhere", 0700));
	REQUIRE(!mount("bpf", "free", "bpf", 0, NULL));
	REQUIRE(!mkdir("free/guard", 0700) && !mkdir("free/empty", 0700) && !pin_all("free/guard"));
	REQUIRE(!run_loader("guarded"));
	for (at = 0; at < NR_PROGRAMS; at++) {
		snprintf(path, sizeof(path), "guarded/guard/%.15s", programs[at]);
		REQUIRE(!stat(path, &status) && S_ISREG(status.st_mode));
	}

	for (at = 0; at < NR_OPERATIONS; at++) {
		int there, elsewhere;

		REQUIRE(!chdir("guarded"));
		/* The loader has made one directory, which is not empty. */
		there = operations[at].run == remove_folder ? rmdir("guard") : operations[at].run();
		if (!is_denied(there))
			note("%s: %s", operations[at].name, there ? strerror(errno) : "not denied");
		REQUIRE(is_denied(there));
		REQUIRE(!chdir("../free"));
		elsewhere = operations[at].run();
		if (elsewhere)
			note("%s elsewhere: %s", operations[at].name, strerror(errno));
		REQUIRE(!elsewhere);
		REQUIRE(!chdir(".."));
	}
	REQUIRE(is_denied(move("guarded")) && !move("free"));
	REQUIRE(is_denied(umount2("guarded", 0)));
	REQUIRE(is_denied(umount2("guarded", MNT_DETACH)));
	REQUIRE(!umount2("free", 0));
	REQUIRE(!access("guarded/guard/guard_unlink", F_OK));

	/* What is pinned can still be read, but not opened by its id, with which it could be undone. */
	REQUIRE(is_closed(map_fd("marks"), "marks"));
	REQUIRE(is_closed(map_fd("own"), "own"));
	REQUIRE(is_closed(program_fd("guard_bpf"), "guard_bpf"));
	REQUIRE(is_closed(link_fd("guard_bpf"), "guard_bpf's link"));
	return 0;
}

/* In a mount namespace of its own, with whose last process the guarded instance goes. */
int trigger(void)
{
	char folder[] = "/tmp/guard.XXXXXX";
	__u64 marked, denied;
	__u32 mounter, sealed = 0;
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
	/* The keeper can. */
	REQUIRE(read_variable("marked", &marked, sizeof(marked)) && marked == 1);
	/* The mark is given once. */
	REQUIRE(read_variable("mounter", &mounter, sizeof(mounter)) && mounter == 0);
	REQUIRE(read_variable("denied", &denied, sizeof(denied)));
	if (denied != NR_OPERATIONS + 3 + 4)
		note("%llu denied", (unsigned long long)denied);
	REQUIRE(denied == NR_OPERATIONS + 3 + 4);
	REQUIRE(write_variable("sealed", &sealed, sizeof(sealed)));
	return 0;
}
