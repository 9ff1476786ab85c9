#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# pahole 1.32 (Debian sid) with the feature true_signature, on functions whose signature clang 16 changed, on x86-64.
#
# `step` returns a value that no caller uses, and clang removes the result: its code only increments and returns. `value`
# takes a struct of 12 bytes, of whose two registers clang removes the second, so that `last` comes in rsi (4). DWARF
# marks both (DW_CC_nocall). The feature is there to describe functions as their code is, but pahole writes that `step`
# returns an int, which a program at its exit reads from a register that holds something else, and that `value` takes
# the entire struct, behind which programs read `last` from rdx.

# shellcheck source-path=SCRIPTDIR source=packages.bash
source "$(dirname "${BASH_SOURCE[0]}")/packages.bash"

packages clang-16=1:16.0.6-15~deb12u1 libclang-cpp16=1:16.0.6-15~deb12u1 libllvm16=1:16.0.6-15~deb12u1 \
    libclang-common-16-dev=1:16.0.6-15~deb12u1 libz3-4=4.8.12-3.1 libedit2=3.1-20221030-2 libbsd0=0.11.7-2 \
    libmd0=1.0.4-2 libffi8=3.4.4-1 libxml2=2.9.14+dfsg-1.3~deb12u6 libicu72=72.1-3+deb12u1 \
    binutils-x86-64-linux-gnu=2.40-2 libbinutils=2.40-2 python3-pyelftools=0.29-1
cd "$ROOT"

cat >functions.c <<'C'
struct state { int n; };
struct triple { int a, b, c; };
#define NOINLINE __attribute__((noinline))
#define KEEP(x) __asm__ volatile("" : : "r"(x))
static NOINLINE int step(struct state *s) { s->n++; return s->n + 7; }
static NOINLINE int value(struct triple t, int last) { KEEP(t.a); KEEP(last); return t.a; }
int caller(struct state *s, struct triple *t) { step(s); return value(*t, s->n); }
C
from_packages "$ROOT/usr/lib/llvm-16/bin/clang" -O2 -g -c functions.c -o functions.o

same 'instructions of step' 'incl retq' "$(from_packages "$ROOT/usr/bin/x86_64-linux-gnu-objdump" -d -M suffix --no-show-raw-insn functions.o |
    awk '/<step>:$/ { on = 1; next } /^$/ { on = 0 } on { print $2 }' | grep -v -E '^(nop|data16|cs)' | xargs)"

# Calling convention of each function (3 is DW_CC_nocall), and where its last parameter is.
places=$(PYTHONPATH=$ROOT/usr/lib/python3/dist-packages python3 - <<'P'
from elftools.elf.elffile import ELFFile
with open("functions.o", "rb") as file:
    for unit in ELFFile(file).get_dwarf_info().iter_CUs():
        for die in unit.iter_DIEs():
            name = die.attributes.get("DW_AT_name")
            if die.tag != "DW_TAG_subprogram" or name.value == b"caller":
                continue
            last = [one for one in die.iter_children() if one.tag == "DW_TAG_formal_parameter"][-1]
            place = last.attributes["DW_AT_location"].value
            convention = die.attributes["DW_AT_calling_convention"].value
            print(name.value.decode(), convention, f"reg{place[0] - 0x50}")
P
)
same 'conventions and last parameters' 'step 3 reg5 value 3 reg4' "$(sort <<<"$places" | xargs)"

pahole_of_sid --btf_features=default,true_signature --btf_encode_detached=functions.btf functions.o

# Each FUNC with the names of the types of its result and parameters.
written=$(python3 - <<'P'
import struct
data = open("functions.btf", "rb").read()
hdr_len, type_off, type_len, str_off = struct.unpack_from("<IIII", data, 4)
at, end = hdr_len + type_off, hdr_len + type_off + type_len
def text(name):
    start = hdr_len + str_off + name
    return data[start:data.index(b"\0", start)].decode()
types = [None]
while at < end:
    name, info, size = struct.unpack_from("<III", data, at)
    kind, vlen = info >> 24 & 31, info & 0xffff
    more = {1: 4, 3: 12, 4: 12 * vlen, 5: 12 * vlen, 6: 8 * vlen, 13: 8 * vlen}.get(kind, 0)
    types.append((kind, name, size, data[at + 12:at + 12 + more]))
    at += 12 + more
def short(id):
    if id == 0:
        return "void"
    kind, name, size, _ = types[id]
    return short(size) + "*" if kind == 2 else text(name)
for entry in types[1:]:
    if entry[0] == 12 and text(entry[1]) != "caller":
        _, _, result, rest = types[entry[2]]
        parameters = [short(struct.unpack_from("<II", rest, i)[1]) for i in range(0, len(rest), 8)]
        print(short(result), text(entry[1]) + "(" + ",".join(parameters) + ")")
P
)
same 'functions in the BTF' 'int step(state*) int value(triple,int)' "$(sort <<<"$written" | xargs)"
