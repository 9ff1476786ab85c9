#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# dwp of binutils 2.40 (Debian 12) on .dwo files of DWARF 5, which gcc 12.2 writes by default.
#
# It exits 0 without a word, and the package has abbreviations, strings and line tables, but no .debug_info.dwo, and
# indexes without columns or units: everything that the .dwo files said is lost once they are deleted. With -gdwarf-4 the
# same command keeps the units. llvm-dwp packs both versions.

# shellcheck source-path=SCRIPTDIR source=packages.bash
source "$(dirname "${BASH_SOURCE[0]}")/packages.bash"

packages gcc-12=12.2.0-14+deb12u1 cpp-12=12.2.0-14+deb12u1 libgcc-12-dev=12.2.0-14+deb12u1 \
    binutils-x86-64-linux-gnu=2.40-2 libbinutils=2.40-2 libisl23=0.25-1.1 libmpc3=1.3.1-1 libmpfr6=4.2.0-1
cd "$ROOT"
gcc() { from_packages "$ROOT/usr/bin/gcc-12" -B"$ROOT/usr/bin/x86_64-linux-gnu-" "$@"; }
echo 'struct s { int a; }; int f(struct s *s) { return s->a; }' >f.c

# pack VERSION: exit status, whether a word was said, bytes of units and of the index in the package.
pack() {
    local status=0 said sections
    gcc -O1 -g "-gdwarf-$1" -gsplit-dwarf -c f.c -o f.o
    said=$(from_packages x86_64-linux-gnu-dwp -o f.dwp f.dwo 2>&1) || status=$?
    sections=$(from_packages x86_64-linux-gnu-readelf -SW f.dwp)
    size() { sed -n "s/.* \.$1 *PROGBITS *[0-9a-f]* [0-9a-f]* \([0-9a-f]*\) .*/0x\1/p" <<<"$sections"; }
    local units index
    units=$(size debug_info.dwo) index=$(size debug_cu_index)
    echo "status $status, $([ -n "$said" ] && echo 'with a word' || echo silent)," \
        "$([ $((units)) -gt 0 ] && echo units || echo 'no units'), $([ $((index)) -gt 16 ] && echo 'an index' || echo 'an empty index')"
}

same 'DWARF 4' 'status 0, silent, units, an index' "$(pack 4)"
same 'DWARF 5' 'status 0, silent, no units, an empty index' "$(pack 5)"
