// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// What init mounts.
#ifndef KBTF_GUEST_MOUNTS_H
#define KBTF_GUEST_MOUNTS_H

// All that tests may look into, where the kernel has it.
void mount_all(void);

// The file system on `device`, with what is written kept in memory, becomes the root.
void switch_root(const char *device, const char *type);

#endif
