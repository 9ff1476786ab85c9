#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# bpftool 7.5 (Debian 13's 6.12.117) prints a C header of BTF that has an unsigned enum of one byte, which BPF programs
# include.
#
# `bpftool btf dump file F format c` gives the enum the attribute mode(byte). clang 14 takes such an enum for signed,
# whatever its values. So it thinks that no value of a byte is one of 128 or more, and compiles a comparison with
# such a value to "never". With the attribute packed instead, the enum is unsigned, and has one byte, too.

# shellcheck source-path=SCRIPTDIR source=packages.bash
source "$(dirname "${BASH_SOURCE[0]}")/packages.bash"

packages "${BPF_TOOLS[@]}" pahole=1.24-4.1 libdw1=0.188-2.1 libbpf1=1:1.1.2-0+deb12u1
cd "$ROOT"
clang() { from_packages "$ROOT/usr/bin/clang-14" -w "$@"; }

cat >source.c <<'C'
enum state { OFF, ON = 200 } __attribute__((packed));
struct lamp { enum state state; } lamp;
C
clang -g -O2 -c source.c -o source.o
from_packages pahole -J source.o
bpftool_of_trixie btf dump file source.o format c >header.h
sed 's/mode(byte)/packed/' header.h >packed.h
cat >program.c <<'C'
int is_on(struct lamp *lamp) { return lamp->state == ON; }
C

# result HEADER: what the function returns for BPF.
result() {
    clang -target bpf -O2 -S -emit-llvm -include "$1" program.c -o - | grep -q 'ret i32 0$' && echo always 0 || echo depends
}
same 'encoding' 'UNSIGNED' "$(bpftool_of_trixie btf dump file source.o | grep -o "'state' encoding=[A-Z]*" | cut -d= -f2)"
same 'attribute' 'mode(byte)' "$(grep -o 'mode([a-z]*)' header.h)"
same 'of the source' 'depends' "$(result source.c)"
same 'of the header' 'always 0' "$(result header.h)"
same 'of the header with packed' 'depends' "$(result packed.h)"
