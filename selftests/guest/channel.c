// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Waiting for work: from here on a saved machine goes on, in each guest that starts from it.

#include "channel.h"

#include "console.h"
#include "tasks.h"
#include "unpack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEVICES "/sys/bus/pci/devices"
// QEMU's ivshmem, whose memory is the third resource.
#define IDENTITY "0x1af40x1110"
#define MEMORY "resource2"
// Milliseconds in which the kernel may finish what it does after a boot.
#define SETTLE 50

// The first page; the archive follows.
struct channel {
	// Not 0 once the rest is there.
	volatile uint64_t ready;
	uint64_t size;
	int64_t seconds;
	int64_t nanoseconds;
	unsigned char random[64];
};
#define ARCHIVE 4096

// A file of one line below DEVICES.
static void read_line(const char *device, const char *name, char *line, size_t room)
{
	char path[512];
	int fd;
	ssize_t count = 0;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", device, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		count = read(fd, line, room - 1);
		close(fd);
	}
	line[count > 0 ? count : 0] = 0;
	line[strcspn(line, "\n")] = 0;
}

static const struct channel *map_device(const char *device, size_t *size)
{
	char path[512];
	struct stat status;
	void *memory;
	int fd;

	snprintf(path, sizeof(path), DEVICES "/%s/enable", device);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (write(fd, "1", 1) != 1)
			say("# cannot enable %s: %s", device, strerror(errno));
		close(fd);
	}
	snprintf(path, sizeof(path), DEVICES "/%s/" MEMORY, device);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status)) {
		say("# cannot open %s: %s", path, strerror(errno));
		return NULL;
	}
	memory = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory == MAP_FAILED) {
		say("# cannot map %s: %s", path, strerror(errno));
		return NULL;
	}
	*size = (size_t)status.st_size;
	return memory;
}

static const struct channel *find_channel(size_t *size)
{
	DIR *devices = opendir(DEVICES);
	const struct channel *channel = NULL;
	struct dirent *entry;

	while (!channel && devices && (entry = readdir(devices))) {
		char identity[64];

		if (entry->d_name[0] == '.')
			continue;
		read_line(entry->d_name, "vendor", identity, sizeof(identity) / 2);
		read_line(entry->d_name, "device", identity + strlen(identity), sizeof(identity) / 2);
		if (!strcmp(identity, IDENTITY))
			channel = map_device(entry->d_name, size);
	}
	if (devices)
		closedir(devices);
	return channel;
}

// Every copy of a saved machine has the same random numbers before it, and none after.
static void mix(const unsigned char *bytes, size_t count)
{
	struct {
		struct rand_pool_info info;
		unsigned char bytes[64];
	} pool = { .info = { .entropy_count = (int)count * 8, .buf_size = (int)count } };
	int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);

	memcpy(pool.info.buf, bytes, count);
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, &pool.info) || ioctl(fd, RNDRESEEDCRNG))
		say("# cannot mix random bytes in: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

void wait_for_work(void)
{
	size_t size, taint_size;
	const struct channel *channel = find_channel(&size);
	struct timespec time;
	char *taint;

	if (!channel)
		return;
	usleep(SETTLE * 1000);
	taint = read_file("/proc/sys/kernel/tainted", &taint_size);
	say("# waits, taint %lu", taint ? strtoul(taint, NULL, 10) : ~0ul);
	free(taint);
	// No sleep: a copy of this machine would have to wake up first.
	while (!channel->ready)
		;
	time.tv_sec = channel->seconds;
	time.tv_nsec = channel->nanoseconds;
	if (clock_settime(CLOCK_REALTIME, &time))
		say("# cannot set the clock: %s", strerror(errno));
	mix(channel->random, sizeof(channel->random));
	if (channel->size > size - ARCHIVE)
		bail_out("the host's archive does not fit in its memory");
	unpack((const char *)channel + ARCHIVE, channel->size);
	munmap((void *)channel, size);
}
