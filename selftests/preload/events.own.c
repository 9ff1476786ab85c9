// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A program that starts and ends is counted, and comes as two records. */
#include "preload_test.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/libbpf.h>

/* As in events.bpf.c. */
struct event {
	__u32 kind;
	__u32 process;
	__u64 time;
	char command[16];
};

struct seen {
	__u32 process;
	__u32 started, ended;
	__u64 times[2];
};

static int take(void *context, void *record, size_t size)
{
	const struct event *event = record;
	struct seen *seen = context;

	if (size != sizeof(*event) || event->process != seen->process)
		return 0;
	/* The program's name is known once it has been started. */
	if (event->kind == 1) {
		seen->started++;
		seen->times[0] = event->time;
	} else if (event->kind == 2 && !strcmp(event->command, "exe")) {
		seen->ended++;
		seen->times[1] = event->time;
	}
	return 0;
}

int trigger(void)
{
	__u64 started, ended, again, lost;
	struct seen seen = {};
	struct ring_buffer *ring;
	int fd, error;
	pid_t child;

	REQUIRE(read_variable("started", &started, sizeof(started)));
	REQUIRE(read_variable("ended", &ended, sizeof(ended)));
	child = fork();
	if (child == 0) {
		/* Not a word, for what is printed belongs to points. */
		close(1);
		execl("/proc/self/exe", "nothing", "--help", NULL);
		_exit(1);
	}
	REQUIRE(waitpid(child, NULL, 0) == child);
	if (has_bpf_lsm()) {
		REQUIRE(read_variable("started", &again, sizeof(again)) && again > started);
	}
	REQUIRE(read_variable("ended", &again, sizeof(again)) && again > ended);
	REQUIRE(read_variable("lost", &lost, sizeof(lost)) && lost == 0);

	seen.process = child;
	fd = map_fd("events");
	REQUIRE(fd >= 0);
	ring = ring_buffer__new(fd, take, &seen, NULL);
	close(fd);
	REQUIRE(ring);
	error = ring_buffer__consume(ring);
	ring_buffer__free(ring);
	REQUIRE(error >= 0);
	REQUIRE(seen.ended == 1);
	if (has_bpf_lsm()) {
		REQUIRE(seen.started == 1);
		/* The same if the kernel's clock counts ticks. */
		REQUIRE(seen.times[0] <= seen.times[1]);
	}
	/* A record for the point that counts them. */
	child = fork();
	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	return 0;
}
