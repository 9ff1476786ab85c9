#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# pahole 1.24 (Debian 12) on a struct of GCC 12 with an array of variable length in the middle, an extension of GCC.
#
# GCC describes the place of the member behind the array by an expression, and leaves out the struct's size. pahole says
# on standard error that it does not know the operation, exits with 0, and writes a STRUCT of 0 bytes whose last member
# is at bit 4294967288. Kernels refuse that, so one such struct costs a whole object or module its BTF.

# shellcheck source-path=SCRIPTDIR source=packages.bash
source "$(dirname "${BASH_SOURCE[0]}")/packages.bash"

packages pahole=1.24-4.1 libbpf1=1:1.1.2-0+deb12u1 libdw1=0.188-2.1 libelf1=0.188-2.1 \
    gcc-12=12.2.0-14+deb12u1 cpp-12=12.2.0-14+deb12u1 libgcc-12-dev=12.2.0-14+deb12u1 \
    binutils-x86-64-linux-gnu=2.40-2 libbinutils=2.40-2 libisl23=0.25-1.1 libmpc3=1.3.1-1 libmpfr6=4.2.0-1
cd "$ROOT"

cat >last.c <<'C'
int last(int n)
{
	struct { int n, a[n], z; } l;

	l.n = n;
	__asm__ volatile("" : : "r"(&l) : "memory");
	return l.z;
}
C
from_packages "$ROOT/usr/bin/gcc-12" -B"$ROOT/usr/bin/x86_64-linux-gnu-" -O2 -g -c last.c -o last.o

status=0
from_packages pahole --btf_encode_detached=last.btf last.o 2>messages || status=$?
same "pahole's exit status" 0 "$status"
same 'its message' 'dwarf_expr: unhandled 0x71 DW_OP_ operation' "$(sort -u messages)"

# The first STRUCT in the BTF: its size, and the offset of its third member in bits.
got=$(python3 - <<'P'
import struct
data = open("last.btf", "rb").read()
hdr_len, type_off, type_len = struct.unpack_from("<III", data, 4)
at = hdr_len + type_off
while True:
    name, info, size = struct.unpack_from("<III", data, at)
    kind, vlen = info >> 24 & 31, info & 0xffff
    if kind == 4:
        print(f"{size} bytes, bit {struct.unpack_from('<III', data, at + 12 + 24)[2]}")
        break
    at += 12 + {1: 4, 3: 12, 13: 8 * vlen}.get(kind, 0)
P
)
same 'size of the struct, place of its last member' '0 bytes, bit 4294967288' "$got"
