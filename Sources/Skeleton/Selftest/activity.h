/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef ACTIVITY_H
#define ACTIVITY_H

#include <stdbool.h>

/* Performs many harmless actions in a directory of its own; returns how many were denied. */
int be_active(void);

/* Whether these actions are known to reach the target of a program with this section. */
bool is_known(const char *section, const char *target);

#endif
