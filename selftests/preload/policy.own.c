// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Each of the twelve hooks of policy.bpf.c denies what a rule says, and nothing without a rule. */
#include "preload_test.h"
#include "policy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <bpf/bpf.h>

static int rules;
static struct subject subject;

static bool deny(__u32 operations)
{
	struct rule rule = { .denied = operations };

	return !bpf_map_update_elem(rules, &subject, &rule, 0);
}

static unsigned long long denials(void)
{
	struct rule rule = {};

	bpf_map_lookup_elem(rules, &subject, &rule);
	return rule.denials;
}

static bool is_denied(long result)
{
	return result < 0 && errno == EPERM;
}

/* The kernel's numbers of devices are not those of stat(2). */
static bool subject_is_file(const char *path)
{
	struct stat status;

	if (lstat(path, &status))
		return false;
	subject = (struct subject){
		.inode = status.st_ino,
		.device = major(status.st_dev) << 20 | minor(status.st_dev),
	};
	return true;
}

static int open_and_close(int flags)
{
	int fd = open("file", flags | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd;
}

static int execute(void)
{
	char *const arguments[] = { "file", NULL };
	pid_t child = fork();
	int status;

	if (child == 0) {
		execv("file", arguments);
		_exit(errno);
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int files(void)
{
	void *mapped;
	int fd;

	fd = open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0700);
	REQUIRE(fd >= 0);
	close(fd);
	REQUIRE(!mkdir("folder", 0700));
	REQUIRE(subject_is_file("file"));

	REQUIRE(deny(OPERATION_WRITE));
	REQUIRE(is_denied(open_and_close(O_RDWR)));
	REQUIRE(denials() == 1);
	fd = open("file", O_RDONLY | O_CLOEXEC);
	REQUIRE(fd >= 0);

	REQUIRE(deny(OPERATION_READ));
	REQUIRE(is_denied(open_and_close(O_RDONLY)));
	REQUIRE(deny(OPERATION_EXECUTE));
	REQUIRE(execute() == EPERM);
	mapped = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	REQUIRE(mapped == MAP_FAILED && errno == EPERM);
	mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	REQUIRE(mapped != MAP_FAILED);
	munmap(mapped, 4096);
	close(fd);
	REQUIRE(denials() == 2);

	REQUIRE(deny(OPERATION_CHANGE));
	REQUIRE(is_denied(chmod("file", 0600)));
	REQUIRE(is_denied(setxattr("file", "trusted.kbtf", "1", 1, 0)));
	REQUIRE(deny(OPERATION_LINK));
	REQUIRE(is_denied(link("file", "link")));
	REQUIRE(deny(OPERATION_RENAME));
	REQUIRE(is_denied(rename("file", "renamed")));
	REQUIRE(deny(OPERATION_REMOVE));
	REQUIRE(is_denied(unlink("file")));
	close(open("other", O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	REQUIRE(is_denied(rename("other", "file")));
	REQUIRE(denials() == 2);

	/* Without a rule. */
	REQUIRE(!bpf_map_delete_elem(rules, &subject));
	REQUIRE(!chmod("file", 0600));
	REQUIRE(open_and_close(O_RDWR) >= 0);
	REQUIRE(!rename("other", "file"));
	REQUIRE(!unlink("file"));

	REQUIRE(subject_is_file("folder"));
	REQUIRE(deny(OPERATION_REMOVE));
	REQUIRE(is_denied(rmdir("folder")));
	REQUIRE(!bpf_map_delete_elem(rules, &subject));
	REQUIRE(!rmdir("folder"));
	return 0;
}

static int denied_process(pid_t child)
{
	subject = (struct subject){ .process = child };
	REQUIRE(deny(OPERATION_SIGNAL));
	REQUIRE(is_denied(kill(child, SIGKILL)));
	REQUIRE(!kill(child, 0));
	REQUIRE(deny(OPERATION_TRACE));
	REQUIRE(is_denied(ptrace(PTRACE_SEIZE, child, NULL, NULL)));
	REQUIRE(deny(OPERATION_PRIORITY));
	errno = 0;
	REQUIRE(is_denied(setpriority(PRIO_PROCESS, child, 5)));
	REQUIRE(denials() == 1);
	REQUIRE(!bpf_map_delete_elem(rules, &subject));
	REQUIRE(!setpriority(PRIO_PROCESS, child, 5));
	return 0;
}

static int processes(void)
{
	pid_t child = fork();
	int result;

	if (child == 0)
		for (;;)
			pause();
	result = denied_process(child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return result;
}

/* Links at hooks and functions are held by the module: nobody takes them away by their number. */
static int keeps_links(void)
{
	int fd = link_fd("policy_open");

	REQUIRE(fd >= 0);
	REQUIRE(bpf_link_detach(fd) < 0 && errno == EOPNOTSUPP);
	close(fd);
	return 0;
}

int trigger(void)
{
	char folder[] = "/tmp/policy.XXXXXX";
	int result;

	if (!has_bpf_lsm())
		return skip("bpf is not among the kernel's security modules (lsm=bpf)");
	rules = map_fd("rules");
	REQUIRE(rules >= 0);
	REQUIRE(mkdtemp(folder) && !chdir(folder));
	result = files() || processes() || keeps_links();
	close(rules);
	REQUIRE(!chdir("/"));
	rmdir(folder);
	return result;
}
