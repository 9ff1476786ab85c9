/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
