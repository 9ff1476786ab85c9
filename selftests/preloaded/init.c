// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The first process of a patched kernel that was booted with a list of objects to
 * preload, see selftests/preloaded.sh. Only signed modules are loaded there.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tests/census.h"
#include "../tests/harness.h"
#include "../tests/module.h"

#include <bpf/btf.h>

#define MOUNTS	100

/* The objects of the list that can be pinned, and their files. */
static const struct object {
	const char *name;
	const char *folder;
	const char *links[16];
	const char *map;
} objects[] = {
	{ "bpf_preload", "", { "maps.debug", "progs.debug" }, NULL },
	{ "policy", "policy",
	  { "policy_open", "policy_mmap", "policy_exec", "policy_unlink", "policy_rmdir",
	    "policy_rename", "policy_link", "policy_setattr", "policy_setxattr", "policy_kill",
	    "policy_ptrace", "policy_setnice" },
	  "rules" },
	{ "events", "events", { "report_start", "report_end", "show_events" }, "events" },
	{ "guard", "guard",
	  { "guard_mount", "guard_umount", "guard_unlink", "guard_rename" },
	  "marks" },
};
#define NR_OBJECTS	(sizeof(objects) / sizeof(*objects))

/* What else is on the list, what the kernel says of it, and nothing more. */
static const struct failure {
	const char *name;
	const char *said;
} failures[] = {
	{ "broken", "broken: the module is missing or was refused" },
	{ "unsealed", "unsealed: the module is missing or was refused" },
	{ "no_such", "no_such: the module is missing or was refused" },
	{ "late", "late: the module is missing or was refused" },
	/* EEXIST, by name or number. */
	{ "kbtf_preload_half", "kbtf_preload_half: cannot be pinned: -" },
};
#define NR_FAILURES	(sizeof(failures) / sizeof(*failures))

static struct census at_start;
static struct descriptors open_at_start;

static bool mount_bpffs(const char *path)
{
	mkdir(path, 0755);
	return !mount("bpf", path, "bpf", 0, NULL);
}

/* All of the kernel's log. */
static char *kernel_log(void)
{
	static char text[1 << 20];
	char record[8192];
	size_t length = 0;
	ssize_t got;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	while ((got = read(fd, record, sizeof(record))) > 0 || errno == EPIPE) {
		if (got <= 0 || length + got >= sizeof(text))
			continue;
		memcpy(text + length, record, got);
		length += got;
	}
	text[length] = 0;
	close(fd);
	return text;
}

static int count(const char *text, const char *word)
{
	int found = 0;

	while ((text = strstr(text, word))) {
		found++;
		text += strlen(word);
	}
	return found;
}

static int count_names(const char *path, const char *name)
{
	struct dirent *entry;
	DIR *folder = opendir(path);
	int found = 0;

	while (folder && (entry = readdir(folder))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		found += !name || !strcmp(entry->d_name, name);
	}
	if (folder)
		closedir(folder);
	return folder ? found : -1;
}

static __u32 link_id(const char *path)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);
	int fd = bpf_obj_get(path);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		note("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return info.id;
}

static bool has(const struct census *census, int sort, __u32 id)
{
	size_t at;

	for (at = 0; at < census->count[sort]; at++)
		if (census->ids[sort][at] == id)
			return true;
	return false;
}

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
	for (at = 0; at < NR_OBJECTS; at++) {
		const char *kept;

		snprintf(line, sizeof(line), "bpf_preload: %s: kept", objects[at].name);
		kept = strstr(log, line);
		if (!kept || kept > started)
			note("%s", line);
		REQUIRE(kept && kept < started);
		for (file = 0; objects[at].links[file]; file++)
			links++;
	}
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

	for (at = 0; at < NR_FAILURES; at++) {
		if (count(log, failures[at].said) != 1)
			note("%d times: %s", count(log, failures[at].said), failures[at].said);
		REQUIRE(count(log, failures[at].said) == 1);
	}
	REQUIRE(count(log, "bpf_preload: '../bad' is no name of a module") == 1);
	/* One of the objects has the name that all lines begin with. */
	REQUIRE(count(log, "bpf_preload: ") == 1 + NR_OBJECTS + NR_FAILURES + 1);
	return 0;
}

/* All of the objects and nothing else, those that exist since before user space. */
static int names_in(const char *root)
{
	size_t at, file;
	char path[256];
	struct stat status;

	REQUIRE(count_names(root, NULL) == 2 + NR_OBJECTS - 1);
	for (at = 0; at < NR_OBJECTS; at++) {
		const struct object *object = &objects[at];

		snprintf(path, sizeof(path), "%s/%s", root, object->folder);
		for (file = 0; object->links[file]; file++) {
			snprintf(path, sizeof(path), "%s/%s/%s", root, object->folder, object->links[file]);
			REQUIRE(has(&at_start, LINKS, link_id(path)));
			REQUIRE(!stat(path, &status) && S_ISREG(status.st_mode));
			REQUIRE(!(status.st_mode & 077) && status.st_uid == 0);
		}
		if (object->map) {
			struct bpf_map_info info = {};
			__u32 size = sizeof(info);
			int fd;

			snprintf(path, sizeof(path), "%s/%s/%s", root, object->folder, object->map);
			fd = bpf_obj_get(path);
			REQUIRE(fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size));
			close(fd);
			REQUIRE(has(&at_start, MAPS, info.id));
		}
		if (!*object->folder)
			continue;
		snprintf(path, sizeof(path), "%s/%s", root, object->folder);
		REQUIRE(count_names(path, NULL) == (int)file + !!object->map);
		REQUIRE(!stat(path, &status) && status.st_mode == (S_IFDIR | 0700));
	}
	REQUIRE(!stat(root, &status) && status.st_mode == (S_IFDIR | S_ISVTX | 0777));
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

static bool tells(const char *path, const char *word)
{
	size_t size;
	char *text = (char *)read_whole(path, &size);
	bool found = text && strstr(text, word);

	if (!found)
		note("%s: no %s", path, word);
	free(text);
	return found;
}

static int iterators(void)
{
	REQUIRE(tells("/bpf/maps.debug", "rules"));
	REQUIRE(tells("/bpf/progs.debug", "policy_unlink"));
	REQUIRE(tells("/bpf/events/show_events", "started "));
	return 0;
}

/* As in progs/preload/policy.bpf.c. */
struct subject {
	__u64 inode;
	__u32 device;
	__u32 process;
};

struct rule {
	__u32 denied;
	__u32 reserved;
	__u64 denials;
};

static int policy(void)
{
	struct rule rule = { .denied = 1 << 2 };	/* remove */
	struct subject subject = {};
	struct stat status;
	int rules = bpf_obj_get("/bpf/policy/rules");

	REQUIRE(rules >= 0);
	close(open("/tmp/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	REQUIRE(!stat("/tmp/file", &status));
	subject.inode = status.st_ino;
	subject.device = major(status.st_dev) << 20 | minor(status.st_dev);
	REQUIRE(!bpf_map_update_elem(rules, &subject, &rule, 0));
	REQUIRE(unlink("/tmp/file") && errno == EPERM);
	REQUIRE(!bpf_map_lookup_elem(rules, &subject, &rule) && rule.denials == 1);
	REQUIRE(!bpf_map_delete_elem(rules, &subject));
	REQUIRE(!unlink("/tmp/file"));
	close(rules);
	return 0;
}

static int take(void *context, void *record, size_t size)
{
	/* Its second word is the process. */
	if (size >= 8 && ((__u32 *)record)[1] == *(__u32 *)context)
		((__u32 *)context)[1]++;
	return 0;
}

/* One record for its start and one for its end: the programs are attached once. */
static int events(void)
{
	__u32 seen[2] = {};
	struct ring_buffer *ring;
	int fd = bpf_obj_get("/bpf/events/events");
	pid_t child;

	REQUIRE(fd >= 0);
	ring = ring_buffer__new(fd, take, seen, NULL);
	close(fd);
	REQUIRE(ring);
	ring_buffer__consume(ring);
	child = fork();
	if (child == 0) {
		execl("/sbin/modprobe", "modprobe", "none", NULL);
		_exit(1);
	}
	REQUIRE(waitpid(child, NULL, 0) == child);
	seen[0] = child;
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
	if (seen[1] != 2)
		note("%u records", seen[1]);
	REQUIRE(seen[1] == 2);
	return 0;
}

/* A map that is pinned nowhere, because it has the variables of an object. */
static int variables(const char *map, struct bpf_map_info *info)
{
	__u32 id = 0;

	while (!bpf_map_get_next_id(id, &id)) {
		__u32 size = sizeof(*info);
		int fd = bpf_map_get_fd_by_id(id);

		if (fd < 0)
			continue;
		memset(info, 0, sizeof(*info));
		if (!bpf_obj_get_info_by_fd(fd, info, &size) && !strcmp(info->name, map))
			return fd;
		close(fd);
	}
	return -1;
}

/* Where a variable is in it. */
static long offset_of(const struct bpf_map_info *info, const char *name)
{
	struct btf *btf = btf__load_from_kernel_by_id(info->btf_id);
	const struct btf_type *section = btf ? btf__type_by_id(btf, info->btf_value_type_id) : NULL;
	const struct btf_var_secinfo *variable = section ? btf_var_secinfos(section) : NULL;
	long offset = -1;
	int i;

	for (i = 0; section && i < btf_vlen(section); i++) {
		const struct btf_type *type = btf__type_by_id(btf, variable[i].type);

		if (!strcmp(btf__name_by_offset(btf, type->name_off), name))
			offset = variable[i].offset;
	}
	btf__free(btf);
	return offset;
}

static bool is_denied(long result)
{
	return result < 0 && errno == EPERM;
}

/* What its loader does: a private instance, in which the guard's own links can no longer be removed. */
static int guarded(void)
{
	struct bpf_map_info info;
	char content[256];
	__u32 key = 0, mounter = getpid();
	int fd = variables("guard.bss", &info);
	long at;

	REQUIRE(fd >= 0 && info.value_size <= sizeof(content));
	at = offset_of(&info, "mounter");
	REQUIRE(at >= 0);
	REQUIRE(!bpf_map_lookup_elem(fd, &key, content));
	memcpy(content + at, &mounter, sizeof(mounter));
	REQUIRE(!bpf_map_update_elem(fd, &key, content, 0));
	REQUIRE(mount_bpffs("/guarded"));
	/* The mark is given once. */
	REQUIRE(!bpf_map_lookup_elem(fd, &key, content));
	memcpy(&mounter, content + at, sizeof(mounter));
	REQUIRE(mounter == 0);
	close(fd);

	REQUIRE(!names_in("/guarded"));
	REQUIRE(is_denied(unlink("/guarded/guard/guard_unlink")));
	REQUIRE(is_denied(unlink("/guarded/policy/rules")));
	REQUIRE(is_denied(unlink("/guarded/maps.debug")));
	REQUIRE(is_denied(rename("/guarded/guard/guard_mount", "/guarded/guard/guard_unlink")));
	REQUIRE(is_denied(umount2("/guarded", 0)));
	REQUIRE(is_denied(umount2("/guarded", MNT_DETACH)));
	REQUIRE(!names_in("/guarded"));

	/* In another instance they are files like all others, and what they were files of stays. */
	REQUIRE(!unlink("/bpf/guard/guard_unlink") && !unlink("/bpf/maps.debug"));
	REQUIRE(is_denied(unlink("/guarded/guard/guard_unlink")));
	REQUIRE(!umount("/bpf") && mount_bpffs("/bpf"));
	REQUIRE(!names_in("/bpf"));
	return 0;
}

static int references(const char *module)
{
	char path[128], *text;
	size_t size;
	int number;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module);
	text = (char *)read_whole(path, &size);
	number = text ? atoi(text) : -1;
	free(text);
	return number;
}

static int rounds(void)
{
	static struct census before;
	static struct descriptors open_before;
	int lines, round, refs[NR_OBJECTS];
	size_t at;

	REQUIRE(mount_bpffs("/round") && !umount("/round"));
	take_quiet_census(&before);
	take_descriptors(&open_before);
	lines = count(kernel_log(), "bpf_preload: ");
	for (at = 0; at < NR_OBJECTS; at++)
		refs[at] = references(objects[at].name);
	for (round = 0; round < MOUNTS; round++) {
		REQUIRE(mount_bpffs("/round"));
		if (round % 25 == 0)
			REQUIRE(!names_in("/round"));
		REQUIRE(!umount("/round"));
	}
	REQUIRE(settled(&before));
	REQUIRE(same_descriptors(&open_before));
	REQUIRE(before.count[LINKS] == at_start.count[LINKS]);
	for (at = 0; at < NR_OBJECTS; at++)
		REQUIRE(references(objects[at].name) == refs[at]);
	REQUIRE(count(kernel_log(), "bpf_preload: ") == lines);
	return 0;
}

/* The kernel keeps the modules of what it keeps, with or without an instance that somebody sees. */
static int removal(void)
{
	size_t at;

	for (at = 0; at < NR_OBJECTS; at++) {
		REQUIRE(references(objects[at].name) == 1);
		REQUIRE(syscall(SYS_delete_module, objects[at].name, O_NONBLOCK));
		REQUIRE(errno == EAGAIN || errno == EBUSY);
	}
	REQUIRE(!umount("/bpf"));
	for (at = 0; at < NR_OBJECTS; at++)
		REQUIRE(syscall(SYS_delete_module, objects[at].name, O_NONBLOCK));
	REQUIRE(mount_bpffs("/bpf"));
	REQUIRE(!names_in("/bpf"));
	return 0;
}

/* It was refused a file. Its map goes with it: no reference is left of files that are not there. */
static int refused_pin(void)
{
	static struct census before, after;

	take_quiet_census(&before);
	REQUIRE(references("kbtf_preload_half") == 0);
	REQUIRE(!unload_module("kbtf_preload_half"));
	take_quiet_census(&after);
	REQUIRE(after.count[MAPS] == before.count[MAPS] - 1);
	REQUIRE(after.count[LINKS] == before.count[LINKS]);
	return 0;
}

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

static int mount_namespace(void)
{
	return in_namespace(CLONE_NEWNS, mount_and_look);
}

/*
 * An instance that belongs to a user namespace, which takes root to make: as for
 * BPF tokens, one who has no rights configures it, and root creates it.
 */
static int user_namespace(void)
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
	REQUIRE(before && after && !strcmp(before, after));
	free(before);
	free(after);
	return 0;
}

/* A module that was not there at boot, as if on the root file system: pinned, and kept, from now on. */
static int late(void)
{
	REQUIRE(!rename("/later/late.ko", "/modules/late.ko"));
	REQUIRE(mount_bpffs("/round"));
	REQUIRE(!access("/round/late", F_OK));
	REQUIRE(count(kernel_log(), "bpf_preload: late: kept") == 1);
	REQUIRE(!umount("/round"));
	REQUIRE(references("late") == 1);
	REQUIRE(syscall(SYS_delete_module, "late", O_NONBLOCK));
	return 0;
}

/* Where the kernel watches memory. */
static int leaks(void)
{
	size_t size;
	char *found;
	int fd;

	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	fd = open("/sys/kernel/debug/kmemleak", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return skip("the kernel has no kmemleak");
	/* What is young is no leak yet. */
	sleep(6);
	REQUIRE(write(fd, "scan", 4) == 4);
	sleep(6);
	REQUIRE(write(fd, "scan", 4) == 4);
	close(fd);
	found = (char *)read_whole("/sys/kernel/debug/kmemleak", &size);
	REQUIRE(found);
	if (size)
		note("%s", found);
	REQUIRE(size == 0);
	free(found);
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

/* Without a word on the command line, the iterators as on all kernels. */
static int by_default(void)
{
	REQUIRE(mount_bpffs("/bpf"));
	REQUIRE(count_names("/bpf", NULL) == 2);
	REQUIRE(tells("/bpf/maps.debug", "rodata"));
	REQUIRE(tells("/bpf/progs.debug", "dump_bpf_map"));
	REQUIRE(!umount("/bpf"));
	return 0;
}

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
	{ "leaks", leaks },
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
	else if (strstr(line, "bpf_preload_list="))
		RUN(with_list);
	else
		RUN(without_list);
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
