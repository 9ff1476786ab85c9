// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// The first process in the virtual machines of `kbtf vm run`: mounts what tests
// need, loads modules, runs tests, tells what came of it in KTAP, powers off.
// docs/vm.md has the protocol: /kbtf/list comes in, lines on the console go out.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// A record of /dev/kmsg holds some 970 bytes of text; what is longer goes out in
// pieces, all but the last marked.
#define PIECE 800
#define MAX_WORDS 64
#define MODULE_SECONDS 60

// kselftest's exit status of a test that cannot run here.
#define SKIP 4

static int console = -1;
static int records;

static void write_record(const char *mark, const char *text, size_t length)
{
	char record[PIECE + 32];
	int size = snprintf(record, sizeof(record), "%s%s%.*s\n", records ? "<5>" : "", mark,
			    (int)length, text);

	// One record is one write, which the kernel's own lines never cut in two.
	while (write(console, record, (size_t)size) < 0 && (errno == EINTR || errno == EAGAIN))
		;
}

static void say_line(const char *text, size_t length)
{
	while (length > PIECE) {
		write_record("kbtf+ ", text, PIECE);
		text += PIECE;
		length -= PIECE;
	}
	write_record("kbtf: ", text, length);
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	char line[4096];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	say_line(line, (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1);
}

static void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	// Without a way to power off, a halt must do; the host has its deadline.
	reboot(RB_HALT_SYSTEM);
	for (;;)
		pause();
}

static void mount_at(const char *type, const char *path, mode_t mode)
{
	mkdir(path, mode);
	if (mount(type, path, type, MS_NOSUID | MS_NODEV, NULL) && errno != ENODEV && errno != EBUSY)
		say("# cannot mount %s at %s: %s", type, path, strerror(errno));
}

static void mount_all(void)
{
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
}

static void give_up(const char *what)
{
	say("Bail out! %s: %s", what, strerror(errno));
	power_off();
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

// The file system on `device`, with what is written kept in memory, becomes the root.
static void switch_root(const char *device, const char *type)
{
	// The driver is loaded; its disk may take a moment.
	for (int tries = 0; access(device, F_OK) && tries < 500; tries++)
		usleep(20000);
	if (access(device, F_OK)) {
		say("Bail out! no disk at %s: the kernel has no driver for it, or none among its modules", device);
		power_off();
	}
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
	if (chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		give_up("/root");
	// Anew, for the old ones are left behind.
	mount_all();
	say("# root: %s (%s)", device, type);
}

static void open_console(void)
{
	int flags = O_WRONLY | O_CLOEXEC;

	// Without a console to start with, these are not open, and a pipe would take their numbers.
	while ((console = open("/dev/null", O_RDWR)) >= 0 && console < 3)
		;
	close(console);
	console = open("/dev/kmsg", flags);
	records = console >= 0;
	if (!records)
		console = open("/dev/console", flags);
}

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

// Exit status of `child` as waitpid gives it; -1 when it ran out of time, -2 when it cannot even be killed.
static int watch(pid_t child, int fd, long long deadline)
{
	struct output output = { .length = 0 };
	int status = 0, open = 1, ended = 0, late = 0;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (!ended) {
		struct pollfd ready = { .fd = open ? fd : -1, .events = POLLIN };
		long long left = deadline - now();

		// Its end makes no noise here: look for it now and then, and at once when it closes the pipe.
		poll(&ready, 1, left < 20 ? (left < 0 ? 0 : (int)left) : 20);
		if (open && ready.revents)
			open = drain(fd, &output);
		ended = waitpid(child, &status, WNOHANG) == child;
		if (ended || now() < deadline)
			continue;
		if (late) {
			status = -2;
			break;
		}
		late = 1;
		kill(-child, SIGKILL);
		kill(child, SIGKILL);
		deadline = now() + 5000;
	}
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
	if (status == -2)
		return -2;
	return late ? -1 : status;
}

// Runs `body` in a child; the same results as watch().
static int run_child(void (*body)(char **words), char **words, int seconds)
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

// words: path, parameters; without these it may be there already.
static void load_module(char **words)
{
	int fd = open(words[0], O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, words[1] ? words[1] : "", 0) &&
		       (words[1] || errno != EEXIST))) {
		printf("# %s: cannot load: %s\n", words[0], strerror(errno));
		fflush(stdout);
		_exit(1);
	}
	_exit(0);
}

// words: path, arguments
static void execute(char **words)
{
	char *slash = strrchr(words[0], '/');
	char *environment[] = { "PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin:/tests", "HOME=/", "LC_ALL=C", NULL };

	*slash = 0;
	if (chdir(slash == words[0] ? "/" : words[0]))
		_exit(126);
	*slash = '/';
	execve(words[0], words, environment);
	printf("# %s: cannot run: %s\n", words[0], strerror(errno));
	fflush(stdout);
	_exit(126);
}

// A whole file in memory that is never freed; NULL with errno set.
static char *read_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t room = 1 << 16;
	char *bytes = malloc(room);
	ssize_t count = -1;

	*size = 0;
	while (fd >= 0 && bytes && (count = read(fd, bytes + *size, room - *size)) > 0) {
		*size += (size_t)count;
		if (*size == room) {
			room *= 2;
			bytes = realloc(bytes, room);
		}
	}
	if (fd >= 0)
		close(fd);
	return count == 0 ? bytes : NULL;
}

// Compares what the kernel shows of a module's BTF with `path`, unless that is "-".
static void check_btf(char **words)
{
	char shown[256];
	size_t size, own_size;
	char *bytes, *own;

	snprintf(shown, sizeof(shown), "/sys/kernel/btf/%s", words[0]);
	bytes = read_file(shown, &size);
	if (!bytes) {
		printf("# %s: %s: the kernel has not taken the module's BTF\n", shown, strerror(errno));
		goto failed;
	}
	if (strcmp(words[1], "-")) {
		own = read_file(words[1], &own_size);
		if (!own || own_size != size || memcmp(own, bytes, size)) {
			printf("# %s: %zu bytes that differ from the %zu of .BTF\n", shown, size,
			       own ? own_size : 0);
			goto failed;
		}
	}
	printf("# %s: %zu bytes%s\n", shown, size,
	       strcmp(words[1], "-") ? ", the same as in the file" : "");
	fflush(stdout);
	_exit(0);
failed:
	fflush(stdout);
	_exit(1);
}

static int passed, failed, skipped;

static void report(int number, const char *name, int status, int seconds)
{
	if (status == 0) {
		say("ok %d %s", number, name);
		passed++;
		return;
	}
	if (status > 0 && WIFEXITED(status) && WEXITSTATUS(status) == SKIP) {
		say("ok %d %s # SKIP", number, name);
		skipped++;
		return;
	}
	failed++;
	if (status == -1)
		say("not ok %d %s # TIMEOUT %d seconds", number, name, seconds);
	else if (status < 0)
		say("not ok %d %s # TIMEOUT %d seconds, and it cannot be killed", number, name, seconds);
	else if (WIFSIGNALED(status))
		say("not ok %d %s # signal=%d %s", number, name, WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		say("not ok %d %s # exit=%d", number, name, WEXITSTATUS(status));
}

// Cuts `line` at tabs; the number of words.
static int split(char *line, char **words)
{
	int count = 0;

	for (char *word = strsep(&line, "\t"); word && count < MAX_WORDS - 1; word = strsep(&line, "\t"))
		words[count++] = word;
	words[count] = NULL;
	return count;
}

static char *read_list(void)
{
	size_t size;
	char *text = read_file("/kbtf/list", &size);

	if (text)
		text = realloc(text, size + 1);
	if (text)
		text[size] = 0;
	return text;
}

int main(void)
{
	struct utsname names;
	char *list, *line, *rest;
	char *words[MAX_WORDS];
	int planned = 0, number = 0;

	// First /dev, for the way out; the rest can then be complained about.
	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, NULL);
	open_console();
	mount_all();
	clearenv();

	uname(&names);
	say("KTAP version 1");
	say("# %s %s", names.release, names.machine);
	list = read_list();
	if (!list) {
		say("Bail out! cannot read /kbtf/list");
		power_off();
	}
	for (char *at = list; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		planned += !strncmp(at, "module\t", 7) || !strncmp(at, "btf\t", 4) ||
			   !strncmp(at, "skip\t", 5) || !strncmp(at, "test\t", 5);
	}
	say("1..%d", planned);

	for (rest = list; (line = strsep(&rest, "\n"));) {
		int count = split(line, words);
		int seconds = MODULE_SECONDS;
		char name[300];

		snprintf(name, sizeof(name) - sizeof(".btf"), "%s", count > 1 ? words[1] : "");
		if (count == 4 && !strcmp(words[0], "module")) {
			say("# module %s", name);
			report(++number, name, run_child(load_module, words + 2, seconds), seconds);
		} else if (count == 3 && !strcmp(words[0], "needed")) {
			char *module[] = { words[2], NULL };

			say("# module %s", name);
			if (run_child(load_module, module, seconds))
				say("# %s, which others need or wish for, does not load", name);
		} else if (count == 3 && !strcmp(words[0], "root")) {
			switch_root(words[1], words[2]);
		} else if (count == 3 && !strcmp(words[0], "btf")) {
			strcat(name, ".btf");
			report(++number, name, run_child(check_btf, words + 1, seconds), seconds);
		} else if (count == 3 && !strcmp(words[0], "skip")) {
			say("ok %d %s # SKIP %s", ++number, name, words[2]);
			skipped++;
		} else if (count >= 4 && !strcmp(words[0], "test")) {
			seconds = atoi(words[2]);
			say("# test %s", name);
			report(++number, name, run_child(execute, words + 3, seconds), seconds);
		} else if (count > 1 || words[0][0]) {
			say("Bail out! a line of /kbtf/list is not understood: %s", words[0]);
			power_off();
		}
	}
	say("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:%d error:0", passed, failed, skipped);
	say("# end");
	power_off();
}
