// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Children of init: what they print, and their end.

#define _GNU_SOURCE
#include "child.h"

#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Milliseconds since some moment.
static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

// What a child prints, cut into lines.
struct output {
	char line[4096];
	size_t length;
};

static void say_output(struct output *output)
{
	char line[sizeof(output->line) + 2];

	// Two blanks make it a subtest, if it is KTAP, and keep it apart in any case.
	memcpy(line, "  ", 2);
	memcpy(line + 2, output->line, output->length);
	say_line(line, output->length + 2);
	output->length = 0;
}

static void take_output(struct output *output, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] == '\n') {
			say_output(output);
			continue;
		}
		if (output->length == sizeof(output->line))
			say_output(output);
		// The kernel would take these for the end of the record.
		output->line[output->length++] = bytes[i] && bytes[i] != '\r' ? bytes[i] : ' ';
	}
}

// Reads what there is; false at the end of the pipe.
static int drain(int fd, struct output *output)
{
	char bytes[4096];
	ssize_t count;

	while ((count = read(fd, bytes, sizeof(bytes))) > 0)
		take_output(output, bytes, (size_t)count);
	return count < 0 && (errno == EAGAIN || errno == EINTR);
}

// The same results as run_child().
static int watch(pid_t child, int fd, long long deadline)
{
	struct output output = { .length = 0 };
	int status = 0, open = 1, ended = 0, late = 0;
	// Ready when the child has ended; kernels before 5.3 have no such thing.
	int life = (int)syscall(SYS_pidfd_open, child, 0);
	long long patience = life < 0 ? 20 : 1000;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (!ended) {
		struct pollfd ready[] = {
			{ .fd = open ? fd : -1, .events = POLLIN },
			{ .fd = life, .events = POLLIN },
		};
		long long left = deadline - now();

		poll(ready, 2, left < patience ? (left < 0 ? 0 : (int)left) : (int)patience);
		if (open && ready[0].revents)
			open = drain(fd, &output);
		ended = waitpid(child, &status, WNOHANG) == child;
		if (ended || now() < deadline)
			continue;
		if (late) {
			status = CHILD_STUCK;
			break;
		}
		late = 1;
		kill(-child, SIGKILL);
		kill(child, SIGKILL);
		deadline = now() + 5000;
	}
	if (life >= 0)
		close(life);
	// What it left running goes with it, so that the pipe has an end.
	kill(-child, SIGKILL);
	for (int tries = 0; open && tries < 50; tries++) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };

		if (poll(&ready, 1, 20) > 0)
			open = drain(fd, &output);
	}
	if (output.length)
		say_output(&output);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	if (status == CHILD_STUCK)
		return CHILD_STUCK;
	return late ? CHILD_LATE : status;
}

int run_child(void (*body)(char **words), char **words, int seconds)
{
	int pipes[2];
	pid_t child;
	int status;

	if (pipe2(pipes, O_CLOEXEC))
		return W_EXITCODE(126, 0);
	child = fork();
	if (child < 0) {
		close(pipes[0]);
		close(pipes[1]);
		return W_EXITCODE(126, 0);
	}
	if (!child) {
		setpgid(0, 0);
		dup2(pipes[1], 1);
		dup2(pipes[1], 2);
		body(words);
		_exit(126);
	}
	setpgid(child, child);
	close(pipes[1]);
	status = watch(child, pipes[0], now() + seconds * 1000LL);
	close(pipes[0]);
	return status;
}
