#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Writes 200 seeded BTFs with kinds that nobody knows yet, and says what readers do with each.

usage: unknown-kinds.py DIR

In DIR: N.btf, N.split.btf for half of them (on N.btf, with unknown kinds of its own), N.raw and N.split.raw (the listing
of bpftool btf dump), and `list`, with a line for each:

    N ours theirs why

`ours` and `theirs` (bpftool 7.8) are `read`, `refused` or `either`.
"""

import random
import struct
import sys

# Bytes after the first three words and of an element, of kinds 0 to 19, then of 20 to 22 of Linux 7.4.
KNOWN = [
    (0, 0), (4, 0), (0, 0), (12, 0), (0, 12), (0, 12), (0, 8), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (0, 8),
    (4, 0), (0, 12), (0, 0), (4, 0), (0, 0), (0, 12), (4, 4), (0, 4), (0, 12),
]
INT, PTR, STRUCT = 1, 2, 4


class Blob:
    """One BTF: records of known and unknown kinds, and what a listing says of them."""

    def __init__(self, rng, order, sizes, first_id=1, first_string=0):
        self.rng, self.order, self.sizes = rng, order, sizes
        self.words, self.lines = [], []
        self.strings = b"" if first_string else b"\0"
        self.first_string, self.next_id = first_string, first_id
        self.ints = []

    def string(self, text):
        offset = self.first_string + len(self.strings)
        self.strings += text.encode() + b"\0"
        return offset

    def add(self, line, *words):
        self.lines.append(f"[{self.next_id}] {line}")
        self.words += words
        self.next_id += 1

    def int(self):
        name = f"int{self.next_id}"
        self.ints.append(self.next_id)
        self.add(f"INT '{name}' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED",
                 self.string(name), INT << 24, 4, 1 << 24 | 32)

    def pointer(self):
        target = self.rng.randrange(0, self.next_id)
        self.add(f"PTR '(anon)' type_id={target}", 0, PTR << 24, target)

    def struct(self):
        count = self.rng.randrange(0, 3)
        name = f"s{self.next_id}"
        words = [self.string(name), STRUCT << 24 | count, 64]
        text = f"STRUCT '{name}' size=64 vlen={count}"
        for index in range(count):
            target = self.rng.choice(self.ints)
            words += [self.string(f"m{index}"), target, index * 64]
            text += f"\n\t'm{index}' type_id={target} bits_offset={index * 64}"
        self.add(text, *words)

    def unknown(self, kind, length=None):
        count = self.rng.randrange(0, 4)
        fixed, element = self.sizes[kind]
        length = (fixed + element * count) // 4 if length is None else length
        name = f"u{self.next_id}"
        named = self.rng.random() < 0.7
        rest = [self.rng.getrandbits(32) for _ in range(length)]
        self.add(f"UNKNOWN '{name if named else '(anon)'}'", self.string(name) if named else 0,
                 self.rng.getrandbits(1) << 31 | kind << 24 | count, self.rng.getrandbits(32), *rest)

    def some(self, kinds):
        self.int()
        for _ in range(self.rng.randrange(1, 9)):
            self.rng.choice([self.int, self.pointer, self.struct])()
            if self.rng.random() < 0.6:
                self.unknown(self.rng.choice(kinds))
        self.unknown(self.rng.choice(kinds))
        self.pointer()

    def bytes(self, layout=None):
        """layout: its bytes; without it the short header of older BTF."""
        types = struct.pack(f"{self.order}{len(self.words)}I", *self.words)
        # libbpf wants the layout between the types and the strings.
        told = layout or b""
        fields = [0, len(types), len(types) + len(told), len(self.strings)]
        if layout is not None:
            fields += [len(types), len(told)]
        header = struct.pack(f"{self.order}HBBI{len(fields)}I", 0xEB9F, 1, 0, 8 + 4 * len(fields), *fields)
        return header + types + told + self.strings

    def listing(self):
        return "".join(line + "\n" for line in self.lines)


def layout_of(sizes, order):
    return b"".join(struct.pack(f"{order}BBH", fixed, element, 0) for fixed, element in sizes)


def case(number):
    rng = random.Random(number)
    order = "<" if number % 4 else ">"
    highest = rng.randrange(23, 128)
    sizes = KNOWN + [(rng.randrange(0, 6) * 4, rng.randrange(0, 6) * 4) for _ in range(23, highest + 1)]
    kinds = rng.sample(range(23, highest + 1), min(4, highest - 22))
    blob = Blob(rng, order, sizes)
    blob.some(kinds)
    told = list(sizes)
    fault = number % 10
    if fault < 5:
        # libbpf swaps bytes by what it knows itself.
        theirs = "read" if order == "<" else "refused"
        return blob, blob.bytes(layout_of(told, order)), "read", theirs, "right"
    if fault == 5:
        told[kinds[0]] = (252, 252)
        blob.unknown(kinds[0], length=0)
        blob.pointer()
        return blob, blob.bytes(layout_of(told, order)), "refused", "refused", "beyond the end"
    if fault == 6:
        blob.unknown(kinds[0])
        told[kinds[0]] = (told[kinds[0]][0] + 1 + rng.randrange(3), told[kinds[0]][1])
        return blob, blob.bytes(layout_of(told, order)), "refused", "either", "no whole words"
    if fault == 7:
        told[rng.choice([1, 3, 4, 13, 19])] = (8, 8)
        return blob, blob.bytes(layout_of(told, order)), "refused", "either", "another size of a known kind"
    if fault == 8:
        blob.unknown(highest)
        return blob, blob.bytes(layout_of(told[:highest], order)), "refused", "refused", "not in the layout"
    blob.unknown(kinds[0])
    return blob, blob.bytes(), "refused", "refused", "without a layout"


def main():
    out = sys.argv[1]
    with open(f"{out}/list", "w", encoding="ascii") as table:
        for number in range(200):
            blob, data, ours, theirs, why = case(number)
            with open(f"{out}/{number}.btf", "wb") as file:
                file.write(data)
            with open(f"{out}/{number}.raw", "w", encoding="ascii") as file:
                file.write(blob.listing())
            print(number, ours, theirs, why, file=table)
            if ours == "refused" or number % 2:
                continue
            # Split BTF has no layout of its own: the base's counts.
            split = Blob(random.Random(1000 + number), blob.order, blob.sizes, blob.next_id, len(blob.strings))
            split.some([kind for kind in range(23, len(blob.sizes))])
            with open(f"{out}/{number}.split.btf", "wb") as file:
                file.write(split.bytes())
            with open(f"{out}/{number}.split.raw", "w", encoding="ascii") as file:
                file.write(split.listing())


main()
