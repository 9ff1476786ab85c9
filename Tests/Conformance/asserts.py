# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Assertions in C that a compiler gives each struct and union of a BTF the size and the offsets that the BTF has.

asserts.py DUMP FILE.c > FILE: DUMP is what `bpftool -j btf dump` prints, FILE.c what the BTF is of."""

import json
import sys


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        types = json.load(file)["types"]
    by_id = {one["id"]: one for one in types}

    def bare(number):
        while number in by_id and by_id[number]["kind"] in ("TYPEDEF", "CONST", "VOLATILE", "RESTRICT", "TYPE_TAG"):
            number = by_id[number]["type_id"]
        return by_id.get(number)

    def members(composite, base, path):
        for member in composite["members"]:
            if member.get("bitfield_size"):
                continue
            offset, name, inner = base + member["bits_offset"], member["name"], bare(member["type_id"])
            if name not in ("", "(anon)"):
                yield path + name, offset
                name += "."
            else:
                name = ""
            if inner and inner["kind"] in ("STRUCT", "UNION") and inner["name"] in ("", "(anon)"):
                yield from members(inner, offset, path + name)

    print(f'#include "{sys.argv[2]}"')
    for one in types:
        word = {"STRUCT": "struct", "UNION": "union", "ENUM": "enum", "ENUM64": "enum"}.get(one["kind"])
        if not word or one["name"] in ("", "(anon)"):
            continue
        print(f'_Static_assert(sizeof({word} {one["name"]}) == {one["size"]}, "size");')
        for path, offset in members(one, 0, "") if "members" in one else ():
            print(f'_Static_assert(__builtin_offsetof({word} {one["name"]}, {path}) * 8 == {offset}, "{path}");')


main()
