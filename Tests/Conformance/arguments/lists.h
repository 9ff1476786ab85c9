/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * EACH(m, types...): m(type, 1) m(type, 2) and so on, for up to twelve; LIST the same with commas.
 */
#ifndef KBTF_ARGUMENTS_LISTS_H
#define KBTF_ARGUMENTS_LISTS_H

#define SERIES_1(m, s, a)			m(a, 1)
#define SERIES_2(m, s, a, b)			SERIES_1(m, s, a) s() m(b, 2)
#define SERIES_3(m, s, a, b, c)			SERIES_2(m, s, a, b) s() m(c, 3)
#define SERIES_4(m, s, a, b, c, d)		SERIES_3(m, s, a, b, c) s() m(d, 4)
#define SERIES_5(m, s, a, b, c, d, e)		SERIES_4(m, s, a, b, c, d) s() m(e, 5)
#define SERIES_6(m, s, a, b, c, d, e, f)	SERIES_5(m, s, a, b, c, d, e) s() m(f, 6)
#define SERIES_7(m, s, a, b, c, d, e, f, g)	SERIES_6(m, s, a, b, c, d, e, f) s() m(g, 7)
#define SERIES_8(m, s, a, b, c, d, e, f, g, h)	SERIES_7(m, s, a, b, c, d, e, f, g) s() m(h, 8)
#define SERIES_9(m, s, a, b, c, d, e, f, g, h, i) \
	SERIES_8(m, s, a, b, c, d, e, f, g, h) s() m(i, 9)
#define SERIES_10(m, s, a, b, c, d, e, f, g, h, i, j) \
	SERIES_9(m, s, a, b, c, d, e, f, g, h, i) s() m(j, 10)
#define SERIES_11(m, s, a, b, c, d, e, f, g, h, i, j, k) \
	SERIES_10(m, s, a, b, c, d, e, f, g, h, i, j) s() m(k, 11)
#define SERIES_12(m, s, a, b, c, d, e, f, g, h, i, j, k, l) \
	SERIES_11(m, s, a, b, c, d, e, f, g, h, i, j, k) s() m(l, 12)
#define COUNTED(a, b, c, d, e, f, g, h, i, j, k, l, n, ...) n
#define COUNT(...)		COUNTED(__VA_ARGS__, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1)
#define CHOSEN_(n)		SERIES_##n
#define CHOSEN(n)		CHOSEN_(n)
#define NO_SEPARATOR()
#define A_COMMA()		,
#define EACH(m, ...)		CHOSEN(COUNT(__VA_ARGS__))(m, NO_SEPARATOR, __VA_ARGS__)
#define LIST(m, ...)		CHOSEN(COUNT(__VA_ARGS__))(m, A_COMMA, __VA_ARGS__)

/* What both units say of a function. */
#define PARAMETER(type, number)	type value##number
#define VALUE(type, number)	value##number

#endif
