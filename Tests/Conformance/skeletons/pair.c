// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Compiled twice for each object: NAME is its name, HEADER its skeleton, RUN the
 * function to be made. THEIRS: the peer's, with TYPES before it.
 */
#ifdef THEIRS
#include TYPES
#include "peer/bpf/skel_internal.h"
#include "pair.h"
#else
#include <errno.h>
#include <string.h>
#include "pair.h"
#define bpf_load_and_run system_bpf_load_and_run
#include <bpf/skel_internal.h>
#undef bpf_load_and_run
static inline int bpf_load_and_run(struct bpf_load_and_run_opts *opts)
{
	if (record) {
		record(opts->data, opts->data_sz, opts->insns, opts->insns_sz);
		return -1;
	}
	return system_bpf_load_and_run(opts);
}
#endif
#include HEADER

#define PASTE(a, b)	a ## b
#define CALL(name, what) PASTE(name, what)

run_skeleton RUN;

int RUN(void (*loaded)(void), void (*attached)(int))
{
	struct NAME *skeleton = CALL(NAME, __open)();
	int result;

	if (!skeleton)
		return -12;
	result = CALL(NAME, __load)(skeleton);
	if (!result && loaded) {
		loaded();
		attached(CALL(NAME, __attach)(skeleton));
	}
	CALL(NAME, __destroy)(skeleton);
	return result;
}
