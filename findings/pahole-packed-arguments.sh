#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# pahole 1.32 (Debian sid) on functions that take small structs by value, compiled by GCC 12 for x86-64.
#
# A BPF program at a function finds each argument in as many of the first argument registers as the argument has eight
# bytes. The ABI puts a struct with a member that is not aligned into memory, however small it is, and what comes after
# it into the registers before. pahole leaves a function out of the BTF if DWARF has a parameter in another register than
# a program reads, but not behind such a struct: it keeps `packed` and `behind`, whose last argument the compiler says is
# in rdi (5) and rsi (4), where a program reads rsi and rdx. In a kernel (7.2.13), it then sees other values.

# shellcheck source-path=SCRIPTDIR source=packages.bash
source "$(dirname "${BASH_SOURCE[0]}")/packages.bash"

packages gcc-12=12.2.0-14+deb12u1 cpp-12=12.2.0-14+deb12u1 libgcc-12-dev=12.2.0-14+deb12u1 \
    binutils-x86-64-linux-gnu=2.40-2 libbinutils=2.40-2 libisl23=0.25-1.1 libmpc3=1.3.1-1 libmpfr6=4.2.0-1 python3-pyelftools=0.29-1
cd "$ROOT"

cat >functions.c <<'C'
struct __attribute__((packed)) odd { char c; int i; };
struct even { int i, j; };
#define KEEP(x) __asm__ volatile("" : : "m"(x))
int plain(struct even e, int last) { KEEP(e); KEEP(last); return 0; }
int packed(struct odd o, int last) { KEEP(o); KEEP(last); return 0; }
int behind(int first, struct odd o, int last) { KEEP(first); KEEP(o); KEEP(last); return 0; }
C
from_packages "$ROOT/usr/bin/gcc-12" -B"$ROOT/usr/bin/x86_64-linux-gnu-" -O2 -g -c functions.c -o functions.o

# Where each function's last parameter is.
places=$(PYTHONPATH=$ROOT/usr/lib/python3/dist-packages python3 - <<'P'
from elftools.elf.elffile import ELFFile
with open("functions.o", "rb") as file:
    for unit in ELFFile(file).get_dwarf_info().iter_CUs():
        for die in unit.iter_DIEs():
            if die.tag != "DW_TAG_subprogram":
                continue
            last = [one for one in die.iter_children() if one.tag == "DW_TAG_formal_parameter"][-1]
            place = last.attributes["DW_AT_location"].value
            print(die.attributes["DW_AT_name"].value.decode(), f"reg{place[0] - 0x50}")
P
)
same 'registers of the last parameters' 'behind reg4 packed reg5 plain reg4' "$(sort <<<"$places" | xargs)"

pahole_of_sid --btf_features=default --btf_encode_detached=functions.btf functions.o

# Names of the FUNCs.
kept=$(python3 - <<'P'
import struct
data = open("functions.btf", "rb").read()
hdr_len, type_off, type_len, str_off = struct.unpack_from("<IIII", data, 4)
at, end = hdr_len + type_off, hdr_len + type_off + type_len
names = []
while at < end:
    name, info, size = struct.unpack_from("<III", data, at)
    kind, vlen = info >> 24 & 31, info & 0xffff
    if kind == 12:
        start = hdr_len + str_off + name
        names.append(data[start:data.index(b"\0", start)].decode())
    at += 12 + {1: 4, 3: 12, 4: 12 * vlen, 5: 12 * vlen, 6: 8 * vlen, 13: 8 * vlen}.get(kind, 0)
print(*sorted(names))
P
)
same 'functions in the BTF' 'behind packed plain' "$kept"
