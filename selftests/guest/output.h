// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Files that tests leave for the host.
#ifndef KBTF_GUEST_OUTPUT_H
#define KBTF_GUEST_OUTPUT_H

#include <stddef.h>

// Where tests leave them.
#define OUTPUT "/output"

// Makes the directory. limit: bytes that are sent at most.
void open_output(size_t limit);

// Sends what is in it.
void send_output(void);

#endif
