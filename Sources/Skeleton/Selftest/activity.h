/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef ACTIVITY_H
#define ACTIVITY_H

#include <stdbool.h>

/* Does many harmless things in a folder of its own; returns how often that was denied. */
int be_active(void);

/* Whether that surely comes by what a program of this section and target is attached to. */
bool is_known(const char *section, const char *target);

#endif
