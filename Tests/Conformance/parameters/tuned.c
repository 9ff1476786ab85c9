// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Loads tuned.ko with parameters, and looks at what its programs show and how large its map is.

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shown.h"

static int load(const char *parameters)
{
	int file = open("tuned.ko", O_RDONLY | O_CLOEXEC);
	int error = syscall(SYS_finit_module, file, parameters, 0) ? errno : 0;

	close(file);
	return error;
}

static int map_of(const char *name, struct bpf_map_info *info)
{
	unsigned int id = 0, size;

	while (!bpf_map_get_next_id(id, &id)) {
		int fd = bpf_map_get_fd_by_id(id);

		size = sizeof(*info);
		memset(info, 0, size);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, info, &size) && !strcmp(info->name, name))
			return fd;
		close(fd);
	}
	return -1;
}

/* Kernels free what nobody has any more a little later. */
static int is_gone(void)
{
	struct bpf_map_info info;

	for (int i = 0; i < 400; i++) {
		int fd = map_of("tuned_shown", &info);

		if (fd < 0)
			return 1;
		close(fd);
		usleep(25000);
	}
	return 0;
}

static const struct {
	const char *parameters;
	int error;
	struct shown shown;
	unsigned int entries;
} cases[] = {
	{ "", 0, { 5, 0, -7, -1, "none" }, 16 },
	{ "limit=100 strict=1 offset=-9000000000 step=-128 tag=eth0 size=77", 0,
	  { 100, 1, -9000000000, -128, "eth0" }, 77 },
	{ "limit=0", EINVAL, { 0 }, 0 },
	{ "limit=101", EINVAL, { 0 }, 0 },
	{ "step=128", EINVAL, { 0 }, 0 },
	{ "size=0", EINVAL, { 0 }, 0 },
	{ "size=4097", EINVAL, { 0 }, 0 },
	{ "tag=0123456789abcdef", ENOSPC, { 0 }, 0 },
	{ "limit=five", EINVAL, { 0 }, 0 },
};

int main(void)
{
	int count = sizeof(cases) / sizeof(*cases), failed = 0;

	printf("KTAP version 1\n1..%d\n", count);
	for (int i = 0; i < count; i++) {
		int error = load(cases[i].parameters), good = error == cases[i].error, fd;
		struct shown shown = { 0 };
		struct bpf_map_info info = { 0 };
		unsigned int key = 0;

		if (!error) {
			syscall(SYS_getppid);
			fd = map_of("tuned_shown", &info);
			good = good && !bpf_map_lookup_elem(fd, &key, &shown) && !memcmp(&shown, &cases[i].shown, sizeof(shown));
			close(fd);
			fd = map_of("tuned_flows", &info);
			good = good && fd >= 0 && info.max_entries == cases[i].entries;
			close(fd);
			good = !syscall(SYS_delete_module, "tuned", O_NONBLOCK) && good;
		}
		good = is_gone() && good;
		failed += !good;
		printf("%sok %d '%s' # error %d, limit %u, entries %u\n", good ? "" : "not ", i + 1, cases[i].parameters, error,
		       shown.limit, info.max_entries);
	}
	return failed;
}
