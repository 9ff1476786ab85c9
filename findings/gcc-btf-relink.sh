#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# gcc 12.2 -gbtf with binutils 2.40, read by pahole 1.24 (all Debian 12).
#
# A linker knows nothing of BTF and joins the .BTF sections of its inputs end to end. Readers take the lengths in the first
# header and stop there: after `ld -r` of two objects the types and functions of the second cannot be seen any more, and
# nobody says so. (bpftool 7.1 and 7.8 print the same first half, exit status 0.)

# shellcheck source-path=SCRIPTDIR source=packages.bash
source "$(dirname "${BASH_SOURCE[0]}")/packages.bash"

packages pahole=1.24-4.1 libdw1=0.188-2.1 libelf1=0.188-2.1 libbpf1=1:1.1.2-0+deb12u1 \
    gcc-12=12.2.0-14+deb12u1 cpp-12=12.2.0-14+deb12u1 libgcc-12-dev=12.2.0-14+deb12u1 \
    binutils-x86-64-linux-gnu=2.40-2 libbinutils=2.40-2 libisl23=0.25-1.1 libmpc3=1.3.1-1 libmpfr6=4.2.0-1
cd "$ROOT"
echo 'struct s { int a; }; int f(struct s *s) { return s->a; }' >f.c
echo 'struct t { long b; }; long g(struct t *t) { return t->b; }' >g.c
for name in f g; do
    from_packages "$ROOT/usr/bin/gcc-12" -B"$ROOT/usr/bin/x86_64-linux-gnu-" -O1 -gbtf -c "$name.c" -o "$name.o"
done
from_packages x86_64-linux-gnu-ld -r f.o g.o -o both.o

# headers FILE: how often BTF's magic with version 1 and the usual header length stands in its .BTF.
headers() {
    from_packages x86_64-linux-gnu-objcopy -O binary --only-section=.BTF --set-section-flags .BTF=alloc "$1" btf.bin
    od -An -v -tx1 btf.bin | tr -d ' \n' | grep -o '9feb010018000000' | wc -l
}
functions() { from_packages pfunct -F btf "$1" 2>&1 | tr '\n' ' '; }

same 'each object' 'f g ' "$(functions f.o)$(functions g.o)"
same 'headers in the linked .BTF' 2 "$(headers both.o)"
same 'functions in the linked object' 'f ' "$(functions both.o)"
