// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// A shell for a person at the console, and the commands that busybox has for it and for test scripts.

#include "shell.h"

#include "console.h"
#include "tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void install_busybox(char **words)
{
	char *install[] = { words[0], "--install", "-s", NULL };

	mkdir("/bin", 0755);
	mkdir("/sbin", 0755);
	mkdir("/usr", 0755);
	mkdir("/usr/bin", 0755);
	mkdir("/usr/sbin", 0755);
	execute(install);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		say("# cannot write %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

// The terminal behind /dev/console, which itself cannot be one that controls processes.
static int open_terminal(void)
{
	char path[64] = "/dev/";
	size_t size;
	char *names = read_file("/sys/class/tty/console/active", &size), *name;

	if (!names || !size)
		return -1;
	names[size - 1] = 0;
	name = strrchr(names, ' ');
	snprintf(path + 5, sizeof(path) - 5, "%s", name ? name + 1 : names);
	return open(path, O_RDWR);
}

void run_shell(const char *terminal, const char *rows, const char *columns)
{
	char variable[64];
	char *words[] = { "/bin/sh", "-i", NULL };
	char *environment[] = { "PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin:/tests", "HOME=/", "LC_ALL=C",
				"PS1=guest:\\w# ", variable, NULL };
	struct winsize size = { .ws_row = (unsigned short)atoi(rows), .ws_col = (unsigned short)atoi(columns) };
	pid_t child;

	say("# shell: /bin/sh; exit ends the guest, Ctrl-A X kills it");
	// What the kernel and tests say from here on is in dmesg; only what is serious disturbs.
	write_text("/sys/module/printk/parameters/ignore_loglevel", "N");
	write_text("/proc/sys/kernel/printk", "4");
	snprintf(variable, sizeof(variable), "TERM=%s", terminal);
	child = fork();
	if (child < 0)
		bail_out("cannot start a shell: %s", strerror(errno));
	if (!child) {
		int fd;

		setsid();
		fd = open_terminal();
		if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
			_exit(125);
		ioctl(fd, TIOCSWINSZ, &size);
		if (fd > 2)
			close(fd);
		if (chdir("/"))
			_exit(125);
		execve(words[0], words, environment);
		dprintf(2, "%s: cannot run: %s\r\n", words[0], strerror(errno));
		_exit(126);
	}
	// Orphans of the shell's are init's.
	for (int status;;) {
		pid_t ended = wait(&status);

		if (ended == child || (ended < 0 && errno != EINTR))
			break;
	}
	power_off();
}
