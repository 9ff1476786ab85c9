// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Types that BTF cannot express as they are, beside ones that it can: all of this has to load. */
enum early;
struct ask { enum early (*next)(struct ask *); };
enum early { EARLY_OK, EARLY_FAILED = -7 };
enum wide_early;
struct ask_wide { enum wide_early *last; };
enum wide_early { WIDE_FAILED = -2, WIDE_OK = 1LL << 50 };
struct money$ { long amount$; enum currency$ { EUR$, OTHER = 4 } currency; };
typedef unsigned int rate$;
struct account { struct money$ balance; rate$ rate; enum early state; int flags : 7; };
#if __STDC_VERSION__ > 202000L
struct modern {
#ifdef __BITINT_MAXWIDTH__
	_BitInt(13) small;
#if __BITINT_MAXWIDTH__ > 200
	_BitInt(200) large;
#endif
#endif
#if defined(__clang__) || __GNUC__ > 12
	__typeof__(nullptr) none;
#endif
	int last;
};
int modern_last(struct modern *m) { return m->last; }
#endif
#ifndef __clang__
int with_array(int n) { struct { int n, a[n], z; } l; l.n = n; __asm__ volatile("" ::"r"(&l) : "memory"); return l.z; }
#endif
_Atomic(struct account *) current;
int ask_all(struct ask *a, struct ask_wide *w) { return a->next(a) + (w->last != 0); }
long balance(struct account *a) { return a->balance.amount$; }
int interest(rate$ rate$) { return rate$; }
