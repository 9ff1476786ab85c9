// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Many harmless actions that trigger programs: files, processes, sockets, mounts
 * in a namespace of their own. Each group runs in a child, in a directory of its own, so
 * that a program that denies, kills or delays affects nothing else.
 */
#define _GNU_SOURCE
#include "activity.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define SECONDS		20

static int nr_denied;

/* Ignores the result, except that denials are counted. */
static long try(long result)
{
	if (result < 0 && (errno == EPERM || errno == EACCES))
		nr_denied++;
	return result;
}

static void files(void)
{
	const struct timespec times[2] = { { 1, 0 }, { 2, 0 } };
	struct statfs system;
	struct stat status;
	char text[256];
	void *mapped;
	int fd, number;

	try(mkdir("folder", 0700));
	fd = try(open("folder/file", O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	try(write(fd, "text\n", 5));
	try(lseek(fd, 0, SEEK_SET));
	try(read(fd, text, sizeof(text)));
	/* Not every file system supports it. */
	try(fallocate(fd, 0, 0, 8192));
	try(ftruncate(fd, 4096));
	try(fsync(fd));
	try(fchmod(fd, 0640));
	try(fchown(fd, 0, 0));
	try(futimens(fd, times));
	try(fcntl(fd, F_GETFL));
	try(fcntl(fd, F_SETFL, O_NONBLOCK));
	try(ioctl(fd, FIONREAD, &number));
	try(flock(fd, LOCK_EX));
	try(flock(fd, LOCK_UN));
	mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	if (mapped != MAP_FAILED) {
		try(mprotect(mapped, 4096, PROT_READ | PROT_WRITE));
		munmap(mapped, 4096);
	}
	close(fd);
	fd = try(open("folder/file", O_RDONLY | O_CLOEXEC));
	close(fd);
	try(truncate("folder/file", 100));
	try(chmod("folder/file", 0600));
	try(chown("folder/file", 0, 0));
	try(setxattr("folder/file", "trusted.kbtf", "1", 1, 0));
	try(getxattr("folder/file", "trusted.kbtf", text, sizeof(text)));
	try(listxattr("folder/file", text, sizeof(text)));
	try(removexattr("folder/file", "trusted.kbtf"));
	try(stat("folder/file", &status));
	try(access("folder/file", R_OK));
	try(statfs("folder", &system));
	try(link("folder/file", "folder/link"));
	try(symlink("file", "folder/symlink"));
	try(readlink("folder/symlink", text, sizeof(text)));
	try(mknod("folder/pipe", S_IFIFO | 0600, 0));
	try(rename("folder/link", "folder/renamed"));
	number = inotify_init1(IN_CLOEXEC);
	try(inotify_add_watch(number, "folder", IN_OPEN));
	close(number);
	try(unlink("folder/pipe"));
	try(unlink("folder/symlink"));
	try(unlink("folder/renamed"));
	try(unlink("folder/file"));
	try(rmdir("folder"));
	try(chroot("."));
}

/* Actions on another process; it must exist, because -1 would mean all processes. */
static void to_process(pid_t child)
{
	struct sched_param priority = {};
	struct rlimit limit;
	int status;

	try(kill(child, SIGCONT));
	try(getpgid(child));
	try(getsid(child));
	try(setpgid(child, child));
	try(getpriority(PRIO_PROCESS, child));
	try(setpriority(PRIO_PROCESS, child, 1));
	try(sched_getscheduler(child));
	try(sched_setscheduler(child, SCHED_OTHER, &priority));
	try(prlimit(child, RLIMIT_NOFILE, NULL, &limit));
	try(prlimit(child, RLIMIT_NOFILE, &limit, NULL));
	try(syscall(__NR_ioprio_get, 1, child));
	try(syscall(__NR_ioprio_set, 1, child, 2 << 13));
	if (!try(ptrace(PTRACE_ATTACH, child, NULL, NULL))) {
		waitpid(child, &status, 0);
		ptrace(PTRACE_DETACH, child, NULL, NULL);
	}
	try(kill(child, SIGKILL));
	waitpid(child, &status, 0);
}

static void processes(void)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int status;
	pid_t child = try(fork());

	if (child == 0) {
		/* Bounded, in case nobody is left to end it. */
		alarm(SECONDS);
		for (;;)
			nanosleep(&pause, NULL);
	}
	if (child > 0)
		to_process(child);

	child = try(fork());
	if (child == 0) {
		/* The started program only prints its usage. */
		execl("/proc/self/exe", "nothing", "--help", NULL);
		_exit(errno == EPERM || errno == EACCES);
	}
	if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status))
		nr_denied += WEXITSTATUS(status);

	try(prctl(PR_GET_DUMPABLE));
	nanosleep(&pause, NULL);
	try(setgid(0));
	try(setuid(0));
	try(syscall(__NR_setgroups, 0, NULL));
}

static void sockets(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "socket" };
	socklen_t size = sizeof(address);
	int one = 1, pair[2], fd, other, accepted;
	char text[8];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = try(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	try(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	try(getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, &size));
	try(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	size = sizeof(address);
	try(getsockname(fd, (struct sockaddr *)&address, &size));
	try(connect(fd, (struct sockaddr *)&address, sizeof(address)));
	close(fd);

	fd = try(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	other = try(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	try(bind(fd, (struct sockaddr *)&name, sizeof(name)));
	try(listen(fd, 1));
	try(connect(other, (struct sockaddr *)&name, sizeof(name)));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	accepted = try(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
	try(getpeername(other, (struct sockaddr *)&name, &size));
	try(shutdown(other, SHUT_RDWR));
	close(accepted);
	close(other);
	close(fd);
	unlink("socket");

	if (!try(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))) {
		try(send(pair[0], "text", 4, 0));
		try(recv(pair[1], text, sizeof(text), 0));
		close(pair[0]);
		close(pair[1]);
	}
	/* A family without a module. */
	try(socket(44, SOCK_DGRAM, 0));
}

static void mounts(void)
{
	struct statfs system;
	int fd;

	if (try(unshare(CLONE_NEWNS)) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return;
	mkdir("mounted", 0700);
	mkdir("other", 0700);
	try(mount("tmpfs", "mounted", "tmpfs", 0, "size=64k"));
	try(mount(NULL, "mounted", NULL, MS_REMOUNT | MS_NOEXEC, NULL));
	try(statfs("mounted", &system));
	try(mount("mounted", "other", NULL, MS_BIND, NULL));
	try(umount2("other", MNT_DETACH));
	fd = try(syscall(__NR_open_tree, AT_FDCWD, "mounted", 0x80001 /* CLOEXEC, CLONE */));
	try(syscall(__NR_move_mount, fd, "", AT_FDCWD, "other", 4 /* F_EMPTY_PATH */));
	close(fd);
	try(umount2("other", 0));
	try(umount2("mounted", 0));
	mkdir("bpffs", 0700);
	try(mount("bpf", "bpffs", "bpf", 0, NULL));
	try(umount2("bpffs", MNT_DETACH));
	rmdir("bpffs");
	rmdir("other");
	rmdir("mounted");
}

static void system_calls(void)
{
	struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static const char no_module[4096];
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	int fd, id;

	fd = try(bpf_map_create(BPF_MAP_TYPE_ARRAY, "nothing", 4, 4, 1, NULL));
	try(bpf_obj_get_info_by_fd(fd, &info, &size));
	close(fd);
	close(try(bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "nothing", "GPL", nothing, 2, NULL)));
	/* Not modules: they are read and refused. */
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	try(syscall(__NR_finit_module, fd, "", 0));
	close(fd);
	try(syscall(__NR_init_module, no_module, sizeof(no_module), ""));
	try(klogctl(10, NULL, 0));
	try(syscall(__NR_add_key, "user", "kbtf", "1", 1, -3 /* the process's keyring */));
	id = try(shmget(IPC_PRIVATE, 4096, 0600));
	try(shmctl(id, IPC_RMID, NULL));
	id = try(semget(IPC_PRIVATE, 1, 0600));
	try(semctl(id, 0, IPC_RMID));
	id = try(msgget(IPC_PRIVATE, 0600));
	try(msgctl(id, IPC_RMID, NULL));
	try(unshare(CLONE_NEWUSER));
}

int be_active(void)
{
	static void (*const groups[])(void) = { files, processes, sockets, mounts, system_calls };
	char folder[] = "/tmp/active.XXXXXX";
	int denied = 0;
	size_t at;

	if (!mkdtemp(folder))
		return 1;
	for (at = 0; at < sizeof(groups) / sizeof(*groups); at++) {
		pid_t child = fork();
		int status, output;

		if (child == 0) {
			/* Only the points belong in the test's output. */
			output = open("/dev/null", O_WRONLY);
			dup2(output, 1);
			dup2(output, 2);
			alarm(SECONDS);
			if (chdir(folder))
				_exit(1);
			groups[at]();
			_exit(nr_denied < 100 ? nr_denied : 100);
		}
		if (child < 0)
			denied++;
		else if (waitpid(child, &status, 0) == child)
			denied += WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	}
	rmdir(folder);
	return denied;
}

static const char *const known_hooks[] = {
	"bpf", "bpf_map", "bpf_prog", "bprm_check_security", "bprm_committed_creds",
	"bprm_committing_creds", "bprm_creds_for_exec", "bprm_creds_from_file", "capable",
	"cred_prepare", "file_alloc_security", "file_fcntl", "file_free_security", "file_ioctl",
	"file_lock", "file_mprotect", "file_open", "file_permission", "inode_alloc_security",
	"inode_create", "inode_free_security", "inode_getattr", "inode_getxattr", "inode_link",
	"inode_listxattr", "inode_mkdir", "inode_mknod", "inode_permission", "inode_readlink",
	"inode_removexattr", "inode_rename", "inode_rmdir", "inode_setattr", "inode_setxattr",
	"inode_symlink", "inode_unlink", "kernel_load_data", "kernel_read_file", "mmap_file",
	"move_mount", "ptrace_access_check", "sb_alloc_security", "sb_free_security",
	"sb_kern_mount", "sb_mount", "sb_remount", "sb_set_mnt_opts", "sb_statfs", "sb_umount",
	"socket_accept", "socket_bind", "socket_connect", "socket_create", "socket_getpeername",
	"socket_getsockname", "socket_getsockopt", "socket_listen", "socket_post_create",
	"socket_recvmsg", "socket_sendmsg", "socket_setsockopt", "socket_shutdown",
	"socket_socketpair", "syslog", "task_alloc", "task_fix_setuid", "task_free",
	"task_getpgid", "task_getscheduler", "task_getsid", "task_kill", "task_prctl",
	"task_prlimit", "task_setnice", "task_setpgid",
	"task_setrlimit", "task_setscheduler",
};

/* Tracepoints and kernel functions. */
static const char *const known_places[] = {
	"sched_process_exec", "sched_process_exit", "sched_process_fork", "sched_process_wait",
	"sched_switch", "sched_wakeup", "signal_deliver", "signal_generate", "sys_enter",
	"sys_exit", "task_newtask", "task_rename", "hrtimer_nanosleep", "vfs_fallocate", "vfs_open",
	"wake_up_new_task",
};

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
	size_t at;

	for (at = 0; at < count; at++)
		if (!strcmp(names[at], name))
			return true;
	return false;
}

bool is_known(const char *section, const char *target)
{
	if (!strncmp(section, "lsm", 3))
		return is_one_of(target, known_hooks, sizeof(known_hooks) / sizeof(*known_hooks));
	return is_one_of(target, known_places, sizeof(known_places) / sizeof(*known_places));
}
