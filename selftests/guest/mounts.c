// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// The file systems of the guest, and its root when there is a disk.

#include "mounts.h"

#include "console.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static void mount_at(const char *type, const char *path, mode_t mode)
{
	mkdir(path, mode);
	if (mount(type, path, type, MS_NOSUID | MS_NODEV, NULL) && errno != ENODEV && errno != EBUSY)
		say("# cannot mount %s at %s: %s", type, path, strerror(errno));
}

void mount_all(void)
{
	static const char *const links[][2] = {
		{ "/proc/self/fd", "/dev/fd" },
		{ "/proc/self/fd/0", "/dev/stdin" },
		{ "/proc/self/fd/1", "/dev/stdout" },
		{ "/proc/self/fd/2", "/dev/stderr" },
	};

	mkdir("/dev", 0755);
	if (mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, NULL) && errno != EBUSY)
		say("# cannot mount devtmpfs at /dev: %s", strerror(errno));
	mount_at("proc", "/proc", 0555);
	mount_at("sysfs", "/sys", 0555);
	mount_at("tmpfs", "/tmp", 01777);
	mount_at("tmpfs", "/run", 0755);
	mount_at("debugfs", "/sys/kernel/debug", 0700);
	mount_at("tracefs", "/sys/kernel/tracing", 0700);
	mount_at("securityfs", "/sys/kernel/security", 0755);
	mount_at("bpf", "/sys/fs/bpf", 0700);
	mount_at("cgroup2", "/sys/fs/cgroup", 0755);
	chmod("/tmp", 01777);
	// What udev makes elsewhere, and shells and programs expect. A second time they are there.
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i][0], links[i][1]) && errno != EEXIST)
			say("# cannot make %s: %s", links[i][1], strerror(errno));
}

static void give_up(const char *what)
{
	bail_out("%s: %s", what, strerror(errno));
}

// Binds what came with the initramfs into the new root.
static void bring_along(const char *path, const char *target)
{
	if (access(path, F_OK))
		return;
	mkdir(target, 0755);
	if (mount(path, target, NULL, MS_BIND, NULL))
		give_up(target);
}

void switch_root(const char *device, const char *type)
{
	// The driver is loaded; its disk may take a moment.
	for (int tries = 0; access(device, F_OK) && tries < 500; tries++)
		usleep(20000);
	if (access(device, F_OK))
		bail_out("no disk at %s: the kernel has no driver for it, or none among its modules", device);
	mkdir("/disk", 0755);
	mkdir("/memory", 0755);
	mkdir("/root", 0755);
	if (mount(device, "/disk", type, MS_RDONLY, NULL))
		give_up(device);
	if (mount("tmpfs", "/memory", "tmpfs", 0, "mode=0755"))
		give_up("/memory");
	mkdir("/memory/upper", 0755);
	mkdir("/memory/work", 0755);
	if (mount("overlay", "/root", "overlay", 0,
		  "lowerdir=/disk,upperdir=/memory/upper,workdir=/memory/work"))
		give_up("overlay");
	bring_along("/kbtf", "/root/kbtf");
	bring_along("/modules", "/root/modules");
	bring_along("/tests", "/root/tests");
	bring_along("/shared", "/root/shared");
	if (chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		give_up("/root");
	// Again, because the old ones are left behind.
	mount_all();
	say("# root: %s (%s)", device, type);
}
