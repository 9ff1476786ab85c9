#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Holds what programs read as arguments, in a guest, against what the caller passed.

compare.py BTF.json KERNEL TOLD ENDIAN: BTF.json is the module's and KERNEL its base's, as `bpftool -j btf dump` prints
them; TOLD has the lines of reads.c; ENDIAN is little or big. Prints a line for each argument that is wrong, what the
kernel refused, and a summary; exit status 1 if one is wrong or could not be read.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from btf_json import Types, is_composite  # noqa: E402

POINTER = 8


class Layouts(Types):
    """Sizes, and which bits of a type hold a value: padding arrives as it likes."""

    def __init__(self, paths, is_big):
        super().__init__(paths[0])
        self.is_big = is_big
        for path in paths[1:]:
            other = Types(path)
            self.by_id.update(other.by_id)

    def size(self, number):
        one = self.bare(number)
        kind = one["kind"]
        if kind == "PTR":
            return POINTER
        if kind == "ARRAY":
            return one["nr_elems"] * self.size(one["type_id"])
        return one["size"]

    def mask(self, number):
        """A byte for each of the type's, with the bits that count."""
        one = self.bare(number)
        size = self.size(number)
        if one["kind"] == "ARRAY":
            return self.mask(one["type_id"]) * one["nr_elems"]
        if not is_composite(one):
            return b"\xff" * size
        bits = bytearray(size)
        for member in one["members"]:
            start = member["bits_offset"]
            width = member.get("bitfield_size", 0)
            if not width:
                for index, byte in enumerate(self.mask(member["type_id"])):
                    bits[start // 8 + index] |= byte
                continue
            for bit in range(start, start + width):
                place = 7 - bit % 8 if self.is_big else bit % 8
                bits[bit // 8] |= 1 << place
        return bytes(bits)


def passed(layouts, function, argument, number):
    """The bytes that calls.c stores in an argument."""
    one = layouts.bare(number)
    size = layouts.size(number)
    if one["kind"] == "INT" and one["encoding"] == "BOOL":
        return (1).to_bytes(size, "big" if layouts.is_big else "little")
    return bytes((7 * function + 31 * argument + 5 * k) % 256 for k in range(size))


def read(layouts, words, size):
    """What a program takes for an argument of this size that begins with these words."""
    endian = "big" if layouts.is_big else "little"
    if size in (1, 2, 4, 8):
        return (words[0] % (1 << 8 * size)).to_bytes(size, endian)
    return b"".join(word.to_bytes(8, endian) for word in words)[:size]


def masked(data, mask):
    return bytes(a & b for a, b in zip(data, mask))


def wrong_arguments(layouts, function, prototype, words):
    """A line for each that is wrong; None for one that the kernel lets no program read."""
    at = 0
    for index, parameter in enumerate(prototype["params"], 1):
        size = layouts.size(parameter["type_id"])
        count = (size + 7) // 8
        if None in words[at : at + count]:
            yield None
            at += count
            continue
        mask = layouts.mask(parameter["type_id"])
        expected = masked(passed(layouts, function, index, parameter["type_id"]), mask)
        found = masked(read(layouts, words[at : at + count], size) if count else b"", mask)
        if found != expected:
            yield f"argument {index} is {found.hex() or 'missing'}, passed {expected.hex()}"
        at += count


def main():
    _, own, kernel, told, endian = sys.argv
    layouts = Layouts([own, kernel], endian == "big")
    prototypes = {
        one["name"]: layouts.by_id[one["type_id"]]
        for one in layouts.all
        if one["kind"] == "FUNC" and one["name"].startswith("arguments_")
    }
    counts = {"read": 0, "wrong": 0, "unreadable": 0, "refused": 0, "lost": 0}
    seen = set()
    with open(told, encoding="utf-8", errors="replace") as file:
        for line in file:
            verb, name, *rest = line.split()
            if verb not in ("read", "refused", "lost") or name not in prototypes:
                continue
            seen.add(name)
            counts[verb] += 1
            if verb != "read":
                print(line.rstrip())
                continue
            words = [None if word == "-" else int(word, 16) for word in rest]
            wrong = list(wrong_arguments(layouts, int(name.split("_")[1]), prototypes[name], words))
            counts["unreadable"] += None in wrong
            wrong = [one for one in wrong if one]
            counts["wrong"] += bool(wrong)
            for one in wrong:
                print(f"wrong {name}: {one}")
    counts["lost"] += len(prototypes.keys() - seen)
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    sys.exit(1 if counts["wrong"] or counts["lost"] or not counts["read"] else 0)


if __name__ == "__main__":
    main()
