// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Functions whose parameters and results compilers remove, as nobody needs them; `stay` are all left as they are. */
#define KEEP(x) __asm__ volatile("" ::"r"(x))
#define LOCAL static __attribute__((noinline))
LOCAL int gone_last(int used, int unused) { KEEP(used); return used * 3; }
LOCAL int gone_first(int unused, int used) { KEEP(used); return used * 5; }
LOCAL int gone_constant(int used, int always) { KEEP(used); KEEP(always); return used + always; }
LOCAL void gone_all(int a, long b) { __asm__ volatile("nop"); }
LOCAL int gone_result(int used) { KEEP(used); return used + 9; }
int stay_unused(int a, int b) { return 7; }
int stay_one(int n) { gone_result(n); gone_all(n, n); return gone_last(n, 1) + gone_first(2, n) + gone_constant(n, 11); }
int stay_two(int n)
{
	gone_result(n + 1);
	gone_all(n, 4);
	return gone_last(n + 2, 5) + gone_first(6, n + 3) + gone_constant(n + 4, 11);
}
