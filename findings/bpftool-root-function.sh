#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# bpftool 7.8 (sid's 7.8.0+7.2.13) prints as C only what one type needs: `btf dump file F format c root_id N`.
#
# For a struct or a typedef that is its definition. For a function, its prototype, a pointer or a variable it prints no
# type at all, not even the struct that the pointer points to or the variable has: only the header's frame of
# preprocessor lines, and it exits 0 without a word. The ids of the structs have to be found in the raw dump.

# shellcheck source-path=SCRIPTDIR source=packages.bash
source "$(dirname "${BASH_SOURCE[0]}")/packages.bash"

packages "${BPF_TOOLS[@]}"
cd "$ROOT"

cat >types.c <<'C'
#define SEC(name) __attribute__((section(name), used))
struct outer { long first; int second; };
struct held { int count; };
typedef int (*call)(struct held *);
struct outer variable;
call pointer;
char terms[] SEC("license") = "GPL";
SEC("raw_tp/sys_enter") int reader(struct outer *outer) { return outer->second + variable.second; }
C
from_packages "$ROOT/usr/bin/clang-14" -g -O2 -target bpf -c types.c -o types.o

sid=$ROOT/sid
ROOT=$sid packages_of sid bpftool=7.8.0+7.2.13-1 libelf1t64=0.196-1 libc6=2.43-7 libcap2=1:2.78-1+b1 \
    libssl3t64=3.6.5-1 zlib1g=1:1.3.dfsg+really1.3.2-4 libzstd1=1.5.7+dfsg-4
bpftool_of_sid() {
    local libraries=$sid/usr/lib/x86_64-linux-gnu
    "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$sid/usr/sbin/bpftool" "$@"
}

bpftool_of_sid btf dump file types.o format raw >raw
# id PATTERN: of the first type whose line has it.
id() { sed -n "s/^\[\([0-9]*\)\] $1.*/\1/p" raw | head -n 1; }
# printed ID: the definitions, without the frame, in one line.
printed() {
    bpftool_of_sid btf dump file types.o format c root_id "$1" >types.h || echo "exit status $?"
    grep -q '^#ifndef __VMLINUX_H__' types.h || echo "no frame"
    sed -e '/^#/d' -e '/^$/d' types.h | tr -s '\n\t' ' '
}

same 'a struct' 'struct outer { long first; int second; }; ' "$(printed "$(id "STRUCT 'outer'")")"
same 'a typedef' 'struct held; typedef int (*call)(struct held *); ' "$(printed "$(id "TYPEDEF 'call'")")"
same 'a function' '' "$(printed "$(id "FUNC 'reader'")")"
same 'its prototype' '' "$(printed "$(id FUNC_PROTO)")"
same 'a pointer to the struct' '' "$(printed "$(id "PTR '(anon)' type_id=$(id "STRUCT 'outer'")")")"
same 'a variable' '' "$(printed "$(id "VAR 'variable'")")"
