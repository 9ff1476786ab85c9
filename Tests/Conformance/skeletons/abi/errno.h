/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* bpf/libbpf.h has what is used of it. */
#include <bpf/libbpf.h>
