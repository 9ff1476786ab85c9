# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The types of a BTF as `bpftool -j btf dump` prints them."""

import json

TRANSPARENT = ("TYPEDEF", "CONST", "VOLATILE", "RESTRICT", "TYPE_TAG")


class Types:
    """In order, and by id."""

    def __init__(self, path):
        with open(path, encoding="utf-8", errors="replace") as file:
            self.all = json.load(file)["types"]
        self.by_id = {one["id"]: one for one in self.all}

    def bare(self, number):
        """What a type is without typedefs and qualifiers; None for void."""
        while number in self.by_id and self.by_id[number]["kind"] in TRANSPARENT:
            number = self.by_id[number]["type_id"]
        return self.by_id.get(number)


def is_composite(one):
    return bool(one) and one["kind"] in ("STRUCT", "UNION")


def is_unnamed(one):
    return one["name"] in ("", "(anon)")
