#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# pahole 1.24 (Debian 12) on objects built with -gsplit-dwarf by gcc 12.2.
#
# The types of such an object are in a .dwo file beside it. `pahole -J` does not read that file, yet exits 0:
#   DWARF 4: no BTF, and no word at all;
#   DWARF 5: no BTF, and a warning that a future version will find the .dwo file by itself;
#   linked with an ordinary object (ld -r): BTF of the ordinary unit alone, so that half of the functions are missing.
# A build that looks at the exit status alone ships modules without BTF.

# shellcheck source-path=SCRIPTDIR source=packages.bash
source "$(dirname "${BASH_SOURCE[0]}")/packages.bash"

packages pahole=1.24-4.1 libdw1=0.188-2.1 libelf1=0.188-2.1 libbpf1=1:1.1.2-0+deb12u1 \
    gcc-12=12.2.0-14+deb12u1 cpp-12=12.2.0-14+deb12u1 libgcc-12-dev=12.2.0-14+deb12u1 \
    binutils-x86-64-linux-gnu=2.40-2 libbinutils=2.40-2 libisl23=0.25-1.1 libmpc3=1.3.1-1 libmpfr6=4.2.0-1
cd "$ROOT"
gcc() { from_packages "$ROOT/usr/bin/gcc-12" -B"$ROOT/usr/bin/x86_64-linux-gnu-" "$@"; }
echo 'struct s { int a; }; int f(struct s *s) { return s->a; }' >f.c
echo 'struct t { long b; }; long g(struct t *t) { return t->b; }' >g.c

# encode OBJECT: exit status, whether a word was said, and the functions in the BTF.
encode() {
    local status=0 said functions
    said=$(from_packages pahole -J "$1" 2>&1) || status=$?
    functions=$(from_packages pfunct -F btf "$1" 2>/dev/null | tr '\n' ' ' || true)
    echo "status $status, $([ -n "$said" ] && echo 'with a warning' || echo silent), functions: ${functions:-none}"
}

gcc -O1 -g -gdwarf-4 -gsplit-dwarf -c f.c -o split4.o
same 'DWARF 4' 'status 0, silent, functions: none' "$(encode split4.o)"

gcc -O1 -g -gdwarf-5 -gsplit-dwarf -c f.c -o split5.o
gcc -O1 -g -gdwarf-5 -c g.c -o plain.o
from_packages x86_64-linux-gnu-ld -r split5.o plain.o -o half.o
same 'DWARF 5' 'status 0, with a warning, functions: none' "$(encode split5.o)"
same 'half split' 'status 0, with a warning, functions: g ' "$(encode half.o)"
