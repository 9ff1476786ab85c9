// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Lines on the console. docs/vm.md has the protocol.

#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

// A record of /dev/kmsg holds some 970 bytes of text; what is longer goes out in
// pieces, all but the last marked.
#define PIECE 800

static int console = -1;
static int records;

void open_console(void)
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

static void write_record(const char *mark, const char *text, size_t length)
{
	char record[PIECE + 32];
	int size = snprintf(record, sizeof(record), "%s%s%.*s\n", records ? "<5>" : "", mark,
			    (int)length, text);

	// One record is one write, which the kernel's own lines never cut in two.
	while (write(console, record, (size_t)size) < 0 && (errno == EINTR || errno == EAGAIN))
		;
}

void say_line(const char *text, size_t length)
{
	while (length > PIECE) {
		write_record("kbtf+ ", text, PIECE);
		text += PIECE;
		length -= PIECE;
	}
	write_record("kbtf: ", text, length);
}

static void say_arguments(const char *before, const char *format, va_list arguments)
{
	char line[4096];
	size_t start = strlen(before);
	int length;

	memcpy(line, before, start);
	length = vsnprintf(line + start, sizeof(line) - start, format, arguments);
	if (length < 0)
		return;
	start += (size_t)length;
	say_line(line, start < sizeof(line) ? start : sizeof(line) - 1);
}

void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say_arguments("", format, arguments);
	va_end(arguments);
}

void bail_out(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say_arguments("Bail out! ", format, arguments);
	va_end(arguments);
	power_off();
}

void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	// Without a way to power off, a halt must do; the host has its deadline.
	reboot(RB_HALT_SYSTEM);
	for (;;)
		pause();
}
