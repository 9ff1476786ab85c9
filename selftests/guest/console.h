// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// What init says: lines on the console.
#ifndef KBTF_GUEST_CONSOLE_H
#define KBTF_GUEST_CONSOLE_H

#include <stddef.h>

// Before the first word; /dev has to be there.
void open_console(void);

void say_line(const char *text, size_t length);
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

// The end of the guest, with the last words and without.
__attribute__((noreturn, format(printf, 1, 2))) void bail_out(const char *format, ...);
__attribute__((noreturn)) void power_off(void);

#endif
