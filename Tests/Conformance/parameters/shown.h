/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the programs of tuned.bpf.c show of their constants. */
struct shown {
	unsigned int limit;
	int strict;
	long long offset;
	int step;
	char tag[16];
};
