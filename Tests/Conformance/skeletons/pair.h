/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a skeleton is made to do, whoever wrote it. */
#ifndef PAIR_H
#define PAIR_H

/*
 * Opens, loads, attaches and destroys. `loaded` is called in between, `attached` as well, with what attaching
 * gave. Returns what loading gave.
 */
typedef int run_skeleton(void (*loaded)(void), void (*attached)(int));

/* If set, loading ends here: nothing is asked of the kernel. */
extern void (*record)(const void *data, unsigned int data_size, const void *insns, unsigned int insns_size);

#endif
