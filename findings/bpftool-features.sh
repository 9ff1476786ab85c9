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

packages "${BPF_TOOLS[@]}"
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
