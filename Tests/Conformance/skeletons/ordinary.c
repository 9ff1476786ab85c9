// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Loads an object by its ordinary skeleton: HEADER, behind TYPES.

#include TYPES
#include HEADER

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

/* The errno with which it is refused, 1000 if it cannot be opened, or how many maps and programs there are then. */
int RUN(int *maps, int *programs)
{
	struct NAME *skel = JOIN(NAME, __open)();
	int error;

	if (!skel)
		return 1000;
	*maps = skel->skeleton->map_cnt;
	*programs = skel->skeleton->prog_cnt;
	error = JOIN(NAME, __load)(skel);
	JOIN(NAME, __destroy)(skel);
	return -error;
}
