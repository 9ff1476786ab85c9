// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the programs of preloaded objects do, as seen through their files. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "../progs/preload/policy.h"
#include "kept.h"

int iterators(void)
{
	REQUIRE(tells("/bpf/maps.debug", "rules"));
	REQUIRE(tells("/bpf/progs.debug", "policy_unlink"));
	REQUIRE(tells("/bpf/events/show_events", "started "));
	return 0;
}

int policy(void)
{
	struct rule rule = { .denied = OPERATION_REMOVE };
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
int events(void)
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

/* What its loader does: a private instance, in which the guard's own links can no longer be removed. */
int guarded(void)
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
	REQUIRE(is_denied(rmdir("/guarded/policy")));
	REQUIRE(is_denied(mount(NULL, "/guarded", NULL, MS_REMOUNT, NULL)));
	REQUIRE(is_denied(mount("tmpfs", "/guarded/policy", "tmpfs", 0, NULL)));
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
