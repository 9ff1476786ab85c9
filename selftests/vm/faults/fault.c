// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// A test that goes wrong in the way its name says.

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

// Seconds that may pass since the test was asked for. A clock that was not set is behind.
#define SLACK 3600

int main(int argc, char **argv)
{
	const char *how = argc ? strrchr(argv[0], '/') + 1 : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("KTAP version 1");
	if (!strcmp(how, "truncated")) {
		puts("1..3\nok 1 first\nok 2 second");
	} else if (!strcmp(how, "crash")) {
		puts("1..1");
		raise(SIGSEGV);
	} else if (!strcmp(how, "stuck")) {
		puts("1..1");
		pause();
	} else if (!strcmp(how, "lying")) {
		puts("1..2\nok 1 first\nnot ok 2 second");
	} else if (!strcmp(how, "disk")) {
		// The root is the disk's, and may be written to.
		puts("1..2");
		puts(access("/etc/marker", F_OK) ? "not ok 1 root" : "ok 1 root");
		puts(open("/etc/written", O_CREAT | O_EXCL | O_WRONLY, 0600) < 0 ? "not ok 2 writable" : "ok 2 writable");
	} else if (!strcmp(how, "fresh") && argc == 2) {
		// The clock is right, and random numbers are this guest's own.
		long off = (long)time(NULL) - atol(argv[1]);
		unsigned long number = 0;

		puts("1..2");
		puts(off < -1 || off > SLACK ? "not ok 1 clock" : "ok 1 clock");
		puts(getrandom(&number, sizeof(number), 0) == sizeof(number) ? "ok 2 random" : "not ok 2 random");
		printf("# random %lx\n", number);
	} else if (!strcmp(how, "skipped")) {
		puts("1..0 # SKIP nothing to do");
		return 4;
	} else {
		puts("1..2\nok 1 first\nok 2 second # SKIP not here");
	}
	return 0;
}
