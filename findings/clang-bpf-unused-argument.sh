#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# clang 14 (Debian 12) compiles a BPF program that calls a global function which does not use its first argument, with -g
# and -O2. The function is public and not inlined, and its BTF has both arguments.
#
# The call sets only the register of the second argument: the number that the source passes appears nowhere, and r1 still
# has the program's context. Kernels (6.1 and 6.12 were tried) compare calls of global functions with BTF and refuse such a
# program: "R1 is not a scalar", "Caller passes invalid args into func". Whether an object loads depends on whether
# a function uses what it is given.

# shellcheck source-path=SCRIPTDIR source=packages.bash
source "$(dirname "${BASH_SOURCE[0]}")/packages.bash"

packages "${BPF_TOOLS[@]}"
cd "$ROOT"

cat >program.c <<'C'
struct packet { unsigned int len; };
__attribute__((noinline)) int public(int argument, struct packet *packet)
{
    volatile int length = packet->len;
#ifdef USED
    length += argument;
#endif
    return length * 2;
}
__attribute__((section("tc"))) int entry(struct packet *packet) { return public(4711, packet); }
C
# calls OPTION...: the instructions of the program, without its labels.
calls() {
    from_packages "$ROOT/usr/bin/clang-14" -g -O2 -target bpf "$@" -S program.c -o - |
        sed -n '/^entry:/,/exit/p' | grep -E '^[[:space:]]+(r[0-9]+ =|call|exit)' | tr -s '\t \n' ' ' | sed 's/^ //; s/ $//'
}
from_packages "$ROOT/usr/bin/clang-14" -g -O2 -target bpf -c program.c -o program.o

same 'the argument is used' 'r2 = r1 r1 = 4711 call public exit' "$(calls -DUSED)"
same 'the argument is not used' 'r2 = r1 call public exit' "$(calls)"
same 'in the BTF' '2' "$(from_packages "$ROOT/usr/sbin/bpftool" -j btf dump file program.o |
    python3 -c 'import json, sys; types = {t["id"]: t for t in json.load(sys.stdin)["types"]}
print([len(types[t["type_id"]]["params"]) for t in types.values() if t["kind"] == "FUNC" and t["name"] == "public"][0])')"
