/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Types of each size and class that an ABI may treat differently. */
#ifndef KBTF_ARGUMENTS_TYPES_H
#define KBTF_ARGUMENTS_TYPES_H

#include <linux/types.h>

#define PACKED		__attribute__((packed))
#define ALIGNED(bytes)	__attribute__((aligned(bytes)))

typedef _Bool flag;
typedef int (*call_t)(int);
typedef void *pointer;
enum small { SMALL_NEGATIVE = -5, SMALL_MANY = 0x12345678 };
enum PACKED tiny { TINY_ZERO, TINY_LAST = 200 };

/* Structs, by their size in bytes. */
typedef struct { char a; } st1;
typedef struct { short a; } st2;
typedef struct { char a[3]; } st3;
typedef struct { int a; } st4;
typedef struct { char a[5]; } st5;
typedef struct { short a, b, c; } st6;
typedef struct { char a[7]; } st7;
typedef struct { long long a; } st8;
typedef struct { int a, b; } st8i;
typedef struct { char a[8]; } st8c;
typedef struct { char a[9]; } st9;
typedef struct { short a[5]; } st10;
typedef struct { int a, b, c; } st12;
typedef struct { long long a; char b; } st16p;
typedef struct { long a, b; } st16;
typedef struct { char a[16]; } st16c;
typedef struct { void *a; int b; } st16v;
typedef struct { int a[5]; } st20;
typedef struct { long a, b, c; } st24;
typedef struct { __int128 a; } st128;
typedef struct { } st0;
typedef struct { st4 a; st4 b; } nested;
typedef struct { unsigned int a : 3, b : 9, c : 20; } bits4;
typedef struct { unsigned long long a : 40, b : 24; int c : 31; } bits16;

typedef struct PACKED { char a; int b; } packed5;
typedef struct PACKED { char a; long long b; } packed9;
typedef struct PACKED { char a; short b; int c; char d; } packed8;
typedef struct PACKED { long long a; int b; } packed12;
typedef struct PACKED { char a; long long b; int c; char d[3]; } packed16;
typedef struct { long long a ALIGNED(16); } aligned16;
typedef struct { int a ALIGNED(8); } aligned8;
typedef struct { char a; } ALIGNED(4) aligned4;

typedef union { int a; char b; } un4;
typedef union { long long a; char b[3]; } un8;
typedef union { long long a; char b[16]; } un16;
typedef union { long long a; char b[12]; } un12;
typedef union { long long a[3]; char b; } un24;
typedef union { void *a; unsigned long long b; } unv;
typedef union { char a[3]; } un3;

#endif
