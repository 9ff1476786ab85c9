# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Compares `kbtf dump --layout` with the output of pahole, struct by struct: the offset and size of each member, the
unused bits, and the size.

layouts.py OURS PAHOLE: prints what differs, then a summary; exits with 1 if something does."""

import re
import sys

START = re.compile(r"^((?:struct|union) \S+) \{")
PLACE = re.compile(r"/\* +(\d+)(?:: *(\d+))? +(\d+) \*/$")
UNUSED = re.compile(r"/\* XXX (\d+) (bit|byte)s? hole")
TOTAL = re.compile(r"/\* size: (\d+), cachelines: (\d+), members: (\d+) \*/$")


def layouts(path):
    """By name, as pahole prints one of two that look alike: members' places, unused bits between members, and the totals, which pahole does not give for unions."""
    found, name = {}, None
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            line = line.rstrip("\n")
            if start := START.match(line):
                name, places, unused, total, follows = start[1], [], 0, None, False
            elif name is None:
                continue
            elif line.startswith("}"):
                found.setdefault(name, set()).add((tuple(places), unused, total, follows))
                name = None
            elif place := PLACE.search(line):
                places.append(tuple(int(part or 0) for part in place.groups()))
                # pahole shows what a pointer to an anonymous struct leads to, too.
                follows |= line.lstrip().startswith("} *")
            elif hole := UNUSED.search(line):
                unused += int(hole[1]) * (8 if hole[2] == "byte" else 1)
            elif line.startswith("\t/* size:") and name.startswith("struct"):
                total = TOTAL.search(line).groups()
    return found


def main():
    ours, theirs = layouts(sys.argv[1]), layouts(sys.argv[2])
    equal = followed = 0
    different = sorted(ours.keys() ^ theirs.keys())
    for name in sorted(ours.keys() & theirs.keys()):
        if any(layout[3] for layout in theirs[name]):
            followed += 1
        elif ours[name] == theirs[name]:
            equal += 1
        else:
            different.append(name)
    for name in different:
        print(f"{name}: {ours.get(name)}, pahole {theirs.get(name)}")
    print(f"{equal} equal, {len(different)} differ, {followed} of pahole's follow pointers")
    return 1 if different or not equal else 0


sys.exit(main())
