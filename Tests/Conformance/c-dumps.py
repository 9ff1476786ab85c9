# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Compares the layouts that a compiler makes of a C dump with those of the BTF that was dumped: size, and offset and
width of every named member, also of those in structs without a name.

c-dumps.py DUMPED COMPILED: both as `bpftool -j btf dump` prints them. Prints what differs, then a summary; exits with 1
if something does."""

import re
import sys

from btf_json import Types, is_composite, is_unnamed

# A member that only the dump has.
FILLER = "__data"


class Layouts(Types):
    """Where the members of structs and unions are."""

    def members(self, composite, base=0, prefix="", depth=0):
        """(path, offset in bits, width in bits or 0) of the named members."""
        for member in composite["members"]:
            offset = base + member["bits_offset"]
            inner = self.bare(member["type_id"])
            width = member.get("bitfield_size") or 0
            if inner and inner["kind"] == "INT" and inner["nr_bits"] < inner["size"] * 8:
                width = width or inner["nr_bits"]
            if is_unnamed(member):
                if is_composite(inner) and depth < 64:
                    yield from self.members(inner, offset, prefix, depth + 1)
                continue
            path = prefix + member["name"]
            yield path, offset, width
            element = self.by_id.get(member["type_id"])
            while element and element["kind"] == "ARRAY":
                element = self.by_id.get(element["type_id"])
            if is_composite(element) and is_unnamed(element):
                yield path + "{}", element["size"] * 8, 0
                yield from self.members(element, 0, path + ".", depth + 1)

    def layouts(self):
        """(kind, name), layout of each struct and union that has a name, its own or by a typedef."""
        for one in self.all:
            if is_composite(one) and not is_unnamed(one):
                yield (one["kind"], one["name"]), self.layout(one)
            elif one["kind"] == "TYPEDEF":
                target = self.by_id.get(one["type_id"])
                if is_composite(target) and is_unnamed(target):
                    yield ("TYPEDEF", one["name"]), self.layout(target)

    def layout(self, composite):
        named = [member for member in self.members(composite) if member[0].split(".")[-1] != FILLER]
        return composite["size"], tuple(named)


def without_version(key):
    """The second of a name is dumped as name___2."""
    return key[0], re.sub(r"___\d+$", "", key[1])


def main():
    compiled = {}
    for key, layout in Layouts(sys.argv[2]).layouts():
        compiled.setdefault(without_version(key), []).append(layout)
    total = differ = 0
    for key, layout in Layouts(sys.argv[1]).layouts():
        total += 1
        found = compiled.get(without_version(key), [])
        if layout in found:
            continue
        differ += 1
        nearest = found[0] if found else (None, ())
        wrong = [member for member in layout[1] if member not in nearest[1]][:3]
        there = [member for member in nearest[1] if member not in layout[1]][:3]
        print(f"{' '.join(key)}: {layout[0]} bytes, compiled {nearest[0]}; {wrong}, compiled {there}")
    print(f"{total} types, {differ} differ")
    return 1 if differ else 0


sys.exit(main())
