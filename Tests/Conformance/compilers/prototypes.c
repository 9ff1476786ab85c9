// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Prototypes whose arguments ABIs put into registers, pairs of them, memory or both. `places` lists for each machine
 * those that BPF programs would read wrongly; Tests/DWARFToBTFTests/CompiledPrototypes.swift has the same ones.
 */
typedef long long L;
typedef unsigned char C;
typedef struct { int a; } s4;
typedef struct { char a[3]; } s3;
typedef struct { L a; } s8;
typedef struct { L a; int b; } s12;
typedef struct { long a, b; } s2w;
typedef struct { long a,b,c; } s3w;
typedef struct { char a[16]; } s16c;
typedef struct __attribute__((packed)) { char a; int b; } pk5;
typedef struct __attribute__((packed)) { char a; L b; } pk9;
typedef struct { char a[9]; } s9c;
typedef struct {short a,b,c;} s6;
typedef union { L a; char b[16]; } u16;
typedef union { int a; char c;} u4;
typedef struct { L a __attribute__((aligned(16))); } al16;
typedef struct {int x[5];} s20;
typedef struct { void *p; } sp;
/* Neither changes its mind about the register before the argument is used: GCC swaps the halves of __int128. */
#ifdef __clang__
extern volatile char sink[];
#define U(x) (*(volatile __typeof__(x) *)sink = (x))
#else
#define U(x) __asm__ volatile("" :: "m"(x))
#endif
#define F __attribute__((noinline))
F int f01(int a, L b, int c) { U(a); U(b); U(c); return 0; }
F int f02(int a, int b, int c, int d, int e, int f) { U(a);U(b);U(c);U(d);U(e);U(f); return 0; }
F int f03(L a, L b, L c) { U(a);U(b);U(c); return 0; }
F int f04(L a, int b, L c, int d) { U(a);U(b);U(c);U(d); return 0; }
F int f05(int a, int b, L c, int d) { U(a);U(b);U(c);U(d); return 0; }
F int f06(int a, int b, int c, L d, int e) { U(a);U(b);U(c);U(d);U(e); return 0; }
F int f07(s4 a, int b) { U(a);U(b); return 0; }
F int f08(s3 a, int b) { U(a);U(b); return 0; }
F int f09(s8 a, int b) { U(a);U(b); return 0; }
F int f10(int z, s8 a, int b) { U(z);U(a);U(b); return 0; }
F int f11(s12 a, int b) { U(a);U(b); return 0; }
F int f12(int z, s12 a, int b) { U(z);U(a);U(b); return 0; }
F int f13(s2w a, int b) { U(a);U(b); return 0; }
F int f14(s3w a, int b) { U(a);U(b); return 0; }
F int f15(s16c a, int b) { U(a);U(b); return 0; }
F int f16(pk5 a, int b) { U(a);U(b); return 0; }
F int f17(pk9 a, int b) { U(a);U(b); return 0; }
F int f18(s9c a, int b) { U(a);U(b); return 0; }
F int f19(s6 a, int b) { U(a);U(b); return 0; }
F int f20(u16 a, int b) { U(a);U(b); return 0; }
F int f21(u4 a, int b) { U(a);U(b); return 0; }
F int f22(al16 a, int b) { U(a);U(b); return 0; }
F int f23(int z, al16 a, int b) { U(z);U(a);U(b); return 0; }
F int f24(s20 a, int b) { U(a);U(b); return 0; }
F s4 f25(int b) { U(b); s4 r = {b}; return r; }
F s8 f26(int b) { U(b); s8 r = {b}; return r; }
F s2w f27(int b) { U(b); s2w r = {b, b}; return r; }
F s3w f28(int b) { U(b); s3w r = {b, b, b}; return r; }
F L f29(int b, C c) { U(b); U(c); return b; }
F s3 f30(int b) { U(b); s3 r = {b}; return r; }
F pk5 f31(int b) { U(b); pk5 r = {b}; return r; }
F int f32(int a, int b, int c, int d, int e, s2w f, int g) { U(a);U(b);U(c);U(d);U(e);U(f);U(g); return 0; }
F int f33(int a, int b, int c, int d, int e, int f, int g, s2w h, int i) { U(a);U(b);U(c);U(d);U(e);U(f);U(g);U(h);U(i); return 0; }
F int f34(int a, sp b, void *c) { U(a);U(b);U(c); return 0; }
F s16c f35(int b) { U(b); s16c r = {b}; return r; }
F u16 f36(int b) { U(b); u16 r = {b}; return r; }
F int f43(int a, s8 b, L c, int d) { U(a);U(b);U(c);U(d); return 0; }
F int f44(s4 a, s4 b, s4 c, L d) { U(a);U(b);U(c);U(d); return 0; }
F int f45(L a, s12 b, int c) { U(a);U(b);U(c); return 0; }
F int f46(int a, int b, int c, int d, int e, int f, int g, int h, s8 i, int j) { U(a);U(h);U(i);U(j); return 0; }
F int f47(int a, int b, int c, s2w d, int e) { U(a);U(c);U(d);U(e); return 0; }
#ifdef __SIZEOF_INT128__
typedef __int128 T;
typedef struct { T a; } s128;
F int f37(T a, int b) { U(a);U(b); return 0; }
F int f38(int z, T a, int b) { U(z);U(a);U(b); return 0; }
F T f39(int b) { U(b); return b; }
F int f40(int a, int b, int c, int d, int e, T f, int g) { U(a);U(e);U(f);U(g); return 0; }
F int f41(int z, s128 a, int b) { U(z);U(a);U(b); return 0; }
F int f42(int a, int b, int c, int d, int e, int f, int g, T h, int i) { U(a);U(g);U(h);U(i); return 0; }
F int f48(int a, int b, int c, T d, int e) { U(a);U(c);U(d);U(e); return 0; }
#endif
#ifdef FLOATS
F int f50(double a, int b) { U(a);U(b); return 0; }
F int f51(int z, float a, int b) { U(z);U(a);U(b); return 0; }
F int f52(long double a, int b) { U(a);U(b); return 0; }
typedef struct { double d; } sd;
typedef struct { long double d; } sld;
typedef struct { float a; int b; } sfi;
typedef struct { double d; L l; } sdl;
F int f53(sd a, int b) { U(a);U(b); return 0; }
F int f54(sld a, int b) { U(a);U(b); return 0; }
F int f55(sfi a, int b) { U(a);U(b); return 0; }
F int f56(sdl a, int b) { U(a);U(b); return 0; }
F long double f57(int b) { U(b); return b; }
F sd f58(int b) { U(b); sd r = {b}; return r; }
typedef struct { float a, b, c, d; } s4f;
F int f59(s4f a, int b) { U(a);U(b); return 0; }
F sld f60(int b) { U(b); sld r = {b}; return r; }
#endif
