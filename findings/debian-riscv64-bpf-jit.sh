#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The configuration of Debian's kernels 7.2.13 for riscv64 and ppc64el, beside that for arm64.
#
# riscv64 has BPF_JIT, but not BPF_JIT_DEFAULT_ON, which its Kconfig does not select: net.core.bpf_jit_enable is 0 after a
# boot. Programs are then interpreted; those that attach to programs are refused ("Can attach to only JITed progs"), and
# so are those that call a kfunc ("JIT is required for calling kernel function"). sysctl.net.core.bpf_jit_enable=1 on the
# command line changes that.
#
# Both have no HAVE_CMPXCHG_DOUBLE, without which kmalloc_nolock() allocates from debugged caches only: creating an
# element of a task storage map gives a program NULL, unless the kernel was booted with slab_debug=FZ.

# shellcheck source-path=SCRIPTDIR source=packages.bash
source "$(dirname "${BASH_SOURCE[0]}")/packages.bash"

options=(BPF_JIT BPF_JIT_DEFAULT_ON HAVE_CMPXCHG_DOUBLE)
same arm64 'BPF_JIT BPF_JIT_DEFAULT_ON HAVE_CMPXCHG_DOUBLE' "$(configured_of_sid arm64 "${options[@]}")"
same riscv64 BPF_JIT "$(configured_of_sid riscv64 "${options[@]}")"
same ppc64el 'BPF_JIT BPF_JIT_DEFAULT_ON' "$(configured_of_sid powerpc64le=ppc64el "${options[@]}")"
