// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Memory that the host shares with a machine that is saved and started again: docs/vm.md has the protocol.
#ifndef KBTF_GUEST_CHANNEL_H
#define KBTF_GUEST_CHANNEL_H

// Where this machine has such memory, waits there until the host has work, which may be in a copy of this machine and
// long after. Then unpacks modules, tests and list, takes over the host's time and mixes its random bytes in.
void wait_for_work(void);

#endif
