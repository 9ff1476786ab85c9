#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# bpftool 7.1 with libbpf 1.1 (Debian 12's 6.1.192) writes the light skeleton of a program that asks whether the kernel has
# a function: `extern int f(void) __ksym __weak`, and then `if (f)`, which is what bpf_ksym_exists(f) is.
#
# It exits 0 without a word. When it runs, the skeleton's loader looks the name up in the kernel's BTF by
# bpf_btf_find_by_name_kind() (helper 167) as a variable (kind 14), where a function (kind 12) is declared. No kernel has
# a variable with the name of the function, which therefore counts as missing on every kernel, and the program takes the
# branch for kernels without it. bpftool 7.8 with libbpf 1.8, from sid, looks for a function. A weak variable is looked
# up as one by both.

# shellcheck source-path=SCRIPTDIR source=packages.bash
source "$(dirname "${BASH_SOURCE[0]}")/packages.bash"

packages "${BPF_TOOLS[@]}"
cd "$ROOT"

cat >asks.c <<'C'
#define SEC(name) __attribute__((section(name), used))
#define KSYM __attribute__((section(".ksyms"), weak))
extern int wanted_function(void) KSYM;
extern const int wanted_variable KSYM;
char terms[] SEC("license") = "GPL";
#ifdef FUNCTION
SEC("tp_btf/sys_enter") int program(void *context) { return wanted_function ? 1 : 2; }
#else
SEC("tp_btf/sys_enter") int program(void *context) { return &wanted_variable ? 1 : 2; }
#endif
C
from_packages "$ROOT/usr/bin/clang-14" -g -O2 -target bpf -DFUNCTION -c asks.c -o function.o
from_packages "$ROOT/usr/bin/clang-14" -g -O2 -target bpf -c asks.c -o variable.o

# What the instructions of a skeleton's loader look up by name: the kind that is in r3 at each call of helper 167.
cat >looked-up.py <<'PY'
import re, struct, sys

text = sys.stdin.read()
# The loader comes after its data, which is a string, too.
code = re.findall(r'insns?(?: = \(void \*\)|\[\].*= )"(.*?)";', text, re.S)[-1]
code = code.replace("\\\n", "").encode().decode("unicode_escape").encode("latin-1")
kinds, third = [], None
for at in range(0, len(code) - 7, 8):
    operation, registers, _, value = struct.unpack_from("<BBhi", code, at)
    if operation == 0xB7 and registers & 15 == 3:
        third = value
    if operation == 0x85 and registers == 0 and value == 167:
        kinds.append({8: "typedef", 12: "function", 14: "variable"}.get(third, str(third)))
print(", ".join(kinds))
PY

# looks_up BPFTOOL... OBJECT: the first is the typedef of the tracepoint.
looks_up() { "$@" | python3 looked-up.py; }

# bpftool_of_sid ARGUMENT...: 7.8
bpftool_of_sid() {
    local sid=$ROOT/sid libraries=$ROOT/sid/usr/lib/x86_64-linux-gnu
    [ -d "$sid" ] ||
        ROOT=$sid packages_of sid bpftool=7.8.0+7.2.13-1 libelf1t64=0.196-1 libc6=2.43-7 libcap2=1:2.78-1+b1 \
            libssl3t64=3.6.5-1 zlib1g=1:1.3.dfsg+really1.3.2-4 libzstd1=1.5.7+dfsg-4
    "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$sid/usr/sbin/bpftool" "$@"
}

old=(from_packages "$ROOT/usr/sbin/bpftool" gen skeleton -L)
same 'bpftool 7.1, a weak variable' 'typedef, variable' "$(looks_up "${old[@]}" variable.o)"
same 'bpftool 7.1, a weak function' 'typedef, variable' "$(looks_up "${old[@]}" function.o)"
same 'bpftool 7.8, a weak variable' 'typedef, variable' "$(looks_up bpftool_of_sid gen skeleton -L variable.o)"
same 'bpftool 7.8, a weak function' 'typedef, function' "$(looks_up bpftool_of_sid gen skeleton -L function.o)"
