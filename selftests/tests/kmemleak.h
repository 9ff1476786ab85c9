/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Memory that the kernel lost, where it counts that. */
#ifndef TESTS_KMEMLEAK_H
#define TESTS_KMEMLEAK_H

/* Points of a test: what leaked before is not counted; nothing leaked since. */
int leaks_before(void);
int no_leaks(void);

#endif
