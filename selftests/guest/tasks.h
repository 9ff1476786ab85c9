// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// What children of init do, one for each sort of line in /kbtf/list. None returns.
#ifndef KBTF_GUEST_TASKS_H
#define KBTF_GUEST_TASKS_H

#include <stddef.h>

// words: path, parameters; without these it may be there already.
void load_module(char **words);

// Compares what the kernel shows of a module's BTF with a file.
// words: module, path, or "-" to see only that there is some.
void check_btf(char **words);

// words: path, arguments
void execute(char **words);

// A whole file in memory that is never freed; NULL with errno set.
char *read_file(const char *path, size_t *size);

#endif
