// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Commands for people and scripts.
#ifndef KBTF_GUEST_SHELL_H
#define KBTF_GUEST_SHELL_H

// In a child. words: busybox's path; makes links to it for all its commands.
void install_busybox(char **words);

// Gives the console to a shell, and ends the guest with it. Values of TERM, LINES and COLUMNS.
__attribute__((noreturn)) void run_shell(const char *terminal, const char *rows, const char *columns);

#endif
