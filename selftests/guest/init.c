// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// The first process in the virtual machines of `kbtf vm run`: mounts what tests
// need, loads modules, runs tests, reports the results as KTAP, powers off.
// docs/vm.md has the protocol: /kbtf/list comes in, lines on the console go out.

#include "channel.h"
#include "child.h"
#include "console.h"
#include "mounts.h"
#include "output.h"
#include "shell.h"
#include "tasks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define MAX_WORDS 64
#define MODULE_SECONDS 60

// kselftest's exit status of a test that cannot run here.
#define SKIP 4

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
	if (status == CHILD_LATE)
		say("not ok %d %s # TIMEOUT %d seconds", number, name, seconds);
	else if (status == CHILD_STUCK)
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
	int has_output = 0;

	// First /dev, for the way out; the rest can then be complained about.
	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, NULL);
	open_console();
	mount_all();
	clearenv();
	wait_for_work();

	uname(&names);
	say("KTAP version 1");
	say("# %s %s", names.release, names.machine);
	list = read_list();
	if (!list)
		bail_out("cannot read /kbtf/list");
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
		} else if (count == 2 && !strcmp(words[0], "busybox")) {
			if (run_child(install_busybox, words + 1, seconds))
				say("# busybox: its commands cannot be linked; /bin/busybox NAME runs them");
		} else if (count == 4 && !strcmp(words[0], "shell")) {
			run_shell(words[1], words[2], words[3]);
		} else if (count == 2 && !strcmp(words[0], "output")) {
			open_output(strtoul(words[1], NULL, 10));
			has_output = 1;
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
			bail_out("a line of /kbtf/list is not understood: %s", words[0]);
		}
	}
	if (has_output)
		send_output();
	say("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:%d error:0", passed, failed, skipped);
	say("# end");
	power_off();
}
