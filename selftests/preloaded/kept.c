// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is on the list of preloaded.sh, and how much of it is there. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kept.h"

/* The objects of the list that can be pinned, and their files. The last one cannot be built in. */
const struct object objects[] = {
	{ "bpf_preload", "", { "maps.debug", "progs.debug" }, {} },
	{ "policy", "policy",
	  { "policy_open", "policy_mmap", "policy_exec", "policy_unlink", "policy_rmdir",
	    "policy_rename", "policy_link", "policy_setattr", "policy_setxattr", "policy_kill",
	    "policy_ptrace", "policy_setnice" },
	  { "rules" } },
	{ "guard", "guard",
	  { "guard_mount", "guard_umount", "guard_unlink", "guard_rename", "guard_remount",
	    "guard_mount_on", "guard_move", "guard_create", "guard_mkdir", "guard_symlink",
	    "guard_link", "guard_rmdir", "guard_bpf" },
	  { "marks", "own" } },
	{ "events", "events", { "report_start", "report_end", "show_events" }, { "events" } },
};
size_t nr_objects = sizeof(objects) / sizeof(*objects);

/* What else is on the list, what the kernel says of it, and nothing more. */
const struct failure failures[] = {
	{ "broken", "broken: the module is missing or was refused" },
	{ "unsealed", "unsealed: the module is missing or was refused" },
	{ "no_such", "no_such: the module is missing or was refused" },
	{ "late", "late: the module is missing or was refused" },
	/* EEXIST, by name or number. */
	{ "kbtf_preload_half", "kbtf_preload_half: cannot be pinned: -" },
};
const size_t nr_failures = sizeof(failures) / sizeof(*failures);

struct census at_start;
struct descriptors open_at_start;

bool mount_bpffs(const char *path)
{
	mkdir(path, 0755);
	return !mount("bpf", path, "bpf", 0, NULL);
}

/* All of the kernel's log. */
char *kernel_log(void)
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

int count(const char *text, const char *word)
{
	int found = 0;

	while ((text = strstr(text, word))) {
		found++;
		text += strlen(word);
	}
	return found;
}

int count_names(const char *path, const char *name)
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

/* All of the objects and nothing else, those that exist since before user space. */
int names_in(const char *root)
{
	size_t at, file, map;
	char path[256];
	struct stat status;

	REQUIRE(count_names(root, NULL) == 2 + (int)nr_objects - 1);
	for (at = 0; at < nr_objects; at++) {
		const struct object *object = &objects[at];

		snprintf(path, sizeof(path), "%s/%s", root, object->folder);
		for (file = 0; object->links[file]; file++) {
			snprintf(path, sizeof(path), "%s/%s/%s", root, object->folder, object->links[file]);
			REQUIRE(has(&at_start, LINKS, link_id(path)));
			REQUIRE(!stat(path, &status) && S_ISREG(status.st_mode));
			REQUIRE(!(status.st_mode & 077) && status.st_uid == 0);
		}
		for (map = 0; object->maps[map]; map++) {
			struct bpf_map_info info = {};
			__u32 size = sizeof(info);
			int fd;

			snprintf(path, sizeof(path), "%s/%s/%s", root, object->folder, object->maps[map]);
			fd = bpf_obj_get(path);
			REQUIRE(fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size));
			close(fd);
			REQUIRE(has(&at_start, MAPS, info.id));
		}
		if (!*object->folder)
			continue;
		snprintf(path, sizeof(path), "%s/%s", root, object->folder);
		REQUIRE(count_names(path, NULL) == (int)(file + map));
		REQUIRE(!stat(path, &status) && status.st_mode == (S_IFDIR | 0700));
	}
	REQUIRE(!stat(root, &status) && status.st_mode == (S_IFDIR | S_ISVTX | 0777));
	return 0;
}

bool tells(const char *path, const char *word)
{
	size_t size;
	char *text = (char *)read_whole(path, &size);
	bool found = text && strstr(text, word);

	if (!found)
		note("%s: no %s", path, word);
	free(text);
	return found;
}

bool is_denied(long result)
{
	return result < 0 && errno == EPERM;
}

int references(const char *module)
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
