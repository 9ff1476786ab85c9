#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# bpftool 7.1 (Debian 12's 6.1.192), asked whether it generates skeletons as the build of the kernel's tools asks
# (tools/build/feature, bpftool-skeletons): for the word `skeletons` in the line `features:` of `bpftool version`.
#
# It has no such word, but generates skeletons and light skeletons. The word only says that bpftool itself
# was built with BPF programs, for `bpftool prog profile` and the like, which Debian does without. So a build that asks
# this way takes a bpftool that does all it needs for one that does not, and builds its own or leaves its BPF parts out.

# shellcheck source-path=SCRIPTDIR source=packages.bash
source "$(dirname "${BASH_SOURCE[0]}")/packages.bash"

packages clang-14=1:14.0.6-12 libclang-cpp14=1:14.0.6-12 libllvm14=1:14.0.6-12 libz3-4=4.8.12-3.1 libedit2=3.1-20221030-2 \
    libbsd0=0.11.7-2 libmd0=1.0.4-2 libffi8=3.4.4-1 bpftool=7.1.0+6.1.192-3 libelf1=0.188-2.1 libcap2=1:2.66-4+deb12u3+b1 \
    libxml2=2.9.14+dfsg-1.3~deb12u6 libicu72=72.1-3+deb12u1 \
    binutils-x86-64-linux-gnu=2.40-2 libbinutils=2.40-2
cd "$ROOT"

cat >counter.c <<'C'
#define SEC(name) __attribute__((section(name), used))
int count;
char terms[] SEC("license") = "GPL";
SEC("raw_tp/sys_enter") int enter(void *context) { count++; return 0; }
C
from_packages "$ROOT/usr/bin/clang-14" -g -O2 -target bpf -c counter.c -o counter.o

same 'features' 'features: libbpf_strict' "$(from_packages bpftool version | grep '^features:')"
same 'as tools/build asks' 'no' "$(from_packages bpftool version | grep -q '^features:.*skeletons' && echo yes || echo no)"
for options in '' '-L'; do
    # shellcheck disable=SC2086  # none or one
    from_packages bpftool gen skeleton $options counter.o >counter.h
    same "gen skeleton $options" 'counter__open_and_load(void)' "$(grep -o 'counter__open_and_load(void)' counter.h)"
done
