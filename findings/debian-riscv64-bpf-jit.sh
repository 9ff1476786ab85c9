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

# has FLAVOUR: which of the three its configuration sets.
has() {
    local option found=''
    for option in BPF_JIT BPF_JIT_DEFAULT_ON HAVE_CMPXCHG_DOUBLE; do
        ! grep -qx "CONFIG_$option=y" "$ROOT/usr/src/linux-headers-7.2.13+deb14-$1/include/config/auto.conf" || found+=" $option"
    done
    echo "${found# }"
}

for names in arm64/arm64 riscv64/riscv64 ppc64el/powerpc64le; do
    rm -rf "$ROOT/apt" "$ROOT/debs"
    MACHINE=${names%/*} packages_of sid "linux-headers-7.2.13+deb14-${names#*/}=7.2.13-1"
done
same arm64 'BPF_JIT BPF_JIT_DEFAULT_ON HAVE_CMPXCHG_DOUBLE' "$(has arm64)"
same riscv64 BPF_JIT "$(has riscv64)"
same ppc64el 'BPF_JIT BPF_JIT_DEFAULT_ON' "$(has powerpc64le)"
