# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Assertions in C that a compiler gives each struct and union of a BTF the size and the offsets that the BTF has.

asserts.py DUMP FILE.c > FILE: DUMP is what `bpftool -j btf dump` prints, FILE.c what the BTF is of."""

import sys

from btf_json import Types, is_composite, is_unnamed


def main():
    types = Types(sys.argv[1])

    def members(composite, base, path):
        for member in composite["members"]:
            if member.get("bitfield_size"):
                continue
            offset, name, inner = base + member["bits_offset"], member["name"], types.bare(member["type_id"])
            if not is_unnamed(member):
                yield path + name, offset
                name += "."
            else:
                name = ""
            if is_composite(inner) and is_unnamed(inner):
                yield from members(inner, offset, path + name)

    print(f'#include "{sys.argv[2]}"')
    for one in types.all:
        word = {"STRUCT": "struct", "UNION": "union", "ENUM": "enum", "ENUM64": "enum"}.get(one["kind"])
        if not word or is_unnamed(one):
            continue
        print(f'_Static_assert(sizeof({word} {one["name"]}) == {one["size"]}, "size");')
        for path, offset in members(one, 0, "") if "members" in one else ():
            print(f'_Static_assert(__builtin_offsetof({word} {one["name"]}, {path}) * 8 == {offset}, "{path}");')


main()
