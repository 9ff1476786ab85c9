// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Children of init, each with a deadline.
#ifndef KBTF_GUEST_CHILD_H
#define KBTF_GUEST_CHILD_H

// What run_child() gives for a child that did not end by itself.
#define CHILD_LATE (-1)
// It cannot even be killed.
#define CHILD_STUCK (-2)

// Runs `body` in a child, says what it prints, and kills it when `seconds` are over. Its exit status as waitpid
// gives it, or one of the two above.
int run_child(void (*body)(char **words), char **words, int seconds);

#endif
