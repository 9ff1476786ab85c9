#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# eu-strip of elfutils 0.188 (Debian 12), which packagers run on modules, and BTF.
#
# BTF is in sections that no program loads, and eu-strip without -g removes such sections, unlike strip of binutils:
#   strip, strip --strip-unneeded, eu-strip -g: keep .BTF and .BTF.base;
#   eu-strip: removes both;
#   eu-strip --keep-section=.BTF: removes .BTF.base. What is left looks like split BTF made on vmlinux, and is not:
#   its ids and names belong to the removed base, and a kernel refuses or misreads it.
# The value is a pattern: --keep-section='.BTF*' keeps both.

# shellcheck source-path=SCRIPTDIR source=packages.bash
source "$(dirname "${BASH_SOURCE[0]}")/packages.bash"

packages elfutils=0.188-2.1 libasm1=0.188-2.1 libdw1=0.188-2.1 libelf1=0.188-2.1 libdebuginfod1=0.188-2.1 \
    pahole=1.24-4.1 libbpf1=1:1.1.2-0+deb12u1 \
    gcc-12=12.2.0-14+deb12u1 cpp-12=12.2.0-14+deb12u1 libgcc-12-dev=12.2.0-14+deb12u1 \
    binutils-x86-64-linux-gnu=2.40-2 libbinutils=2.40-2 libisl23=0.25-1.1 libmpc3=1.3.1-1 libmpfr6=4.2.0-1
cd "$ROOT"
gcc() { from_packages "$ROOT/usr/bin/gcc-12" -B"$ROOT/usr/bin/x86_64-linux-gnu-" "$@"; }
binutils() { local tool=$1; shift; from_packages "x86_64-linux-gnu-$tool" "$@"; }

# What is left of the two sections after the given command, which ends with the file's name.
left() {
    cp module.o stripped.o
    "$@" stripped.o
    echo "$(binutils readelf --sections --wide stripped.o | grep -o ' \.BTF[._a-z]*' | tr -d '\n')"
}

echo 'struct shared { int a; }; int f(struct shared *s) { return s->a; }' >base.c
echo 'struct shared { int a; }; struct own { struct shared *s; }; int g(struct own *o) { return o->s->a; }' >module.c
gcc -O1 -g -c base.c -o base.o
gcc -O1 -g -c module.c -o module.o
from_packages pahole --btf_encode_detached=base.btf base.o
from_packages pahole -J --btf_base=base.btf module.o
binutils objcopy --add-section .BTF.base=base.btf module.o

same 'before' ' .BTF .BTF.base' "$(left true)"
same 'strip' ' .BTF .BTF.base' "$(left binutils strip -g)"
same 'strip --strip-unneeded' ' .BTF .BTF.base' "$(left binutils strip --strip-unneeded)"
same 'eu-strip -g' ' .BTF .BTF.base' "$(left from_packages eu-strip -g)"
same 'eu-strip' '' "$(left from_packages eu-strip)"
same 'eu-strip --keep-section=.BTF' ' .BTF' "$(left from_packages eu-strip --keep-section=.BTF)"
same "eu-strip --keep-section='.BTF*'" ' .BTF .BTF.base' "$(left from_packages eu-strip '--keep-section=.BTF*')"
