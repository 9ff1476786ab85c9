#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# bpftool 7.5 (Debian 13's 6.12.117) prints a C header of BTF that has three enums without a name.
#
# `bpftool btf dump file F format c` leaves out the one whose first value comes first in the alphabet, and so its
# constants; with `unsorted` all three are there. Types are sorted together with void, id 0, which comes last, and the
# loop that prints them skips the first place, where void is without sorting. Enums without a name come first in
# the order, so each vmlinux.h may lack one enum, another one on another kernel (only if a second enum of
# the same values exists, nothing is missed), and programs that use its constants do not compile.

# shellcheck source-path=SCRIPTDIR source=packages.bash
source "$(dirname "${BASH_SOURCE[0]}")/packages.bash"

packages "${BPF_TOOLS[@]}" pahole=1.24-4.1 libdw1=0.188-2.1 libbpf1=1:1.1.2-0+deb12u1
cd "$ROOT"

cat >enums.c <<'C'
enum { AARDVARK = 1 };
enum { BADGER = 2 };
enum { CAMEL = 3 };
int animals(void) { return AARDVARK + BADGER + CAMEL; }
C
from_packages "$ROOT/usr/bin/clang-14" -g -O2 -c enums.c -o enums.o
from_packages pahole -J enums.o

values() { grep -oE 'AARDVARK|BADGER|CAMEL' | sort | paste -sd' '; }
same 'version' 'bpftool v7.5.0' "$(bpftool_of_trixie version | head -n 1)"
same 'in the BTF' 'AARDVARK BADGER CAMEL' "$(bpftool_of_trixie btf dump file enums.o | values)"
same 'format c unsorted' 'AARDVARK BADGER CAMEL' "$(bpftool_of_trixie btf dump file enums.o format c unsorted | values)"
same 'format c' 'BADGER CAMEL' "$(bpftool_of_trixie btf dump file enums.o format c | values)"
