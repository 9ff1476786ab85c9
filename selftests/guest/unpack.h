// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Archives as an initramfs has them.
#ifndef KBTF_GUEST_UNPACK_H
#define KBTF_GUEST_UNPACK_H

#include <stddef.h>

// Makes the directories, files and links of a cpio archive (newc) below /; other entries are skipped.
void unpack(const char *archive, size_t size);

#endif
