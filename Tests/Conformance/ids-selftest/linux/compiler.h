/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#define PASTE_EXPANDED(one, other) one##other
#define __PASTE(one, other) PASTE_EXPANDED(one, other)
