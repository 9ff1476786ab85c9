#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""order.py PROGRAM PROFILE...: print the functions that runs of a program executed, one a line: first those that
most runs did, and together what the same runs did. A profile is callgrind's, with --dump-instr=yes and
--compress-pos=no: it has the address of each instruction, and thus functions whose symbols callgrind itself passes over."""

import bisect
import re
import subprocess
import sys


def functions(program):
    """Addresses in order, and the name at each."""
    found = {}
    for line in subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout.splitlines():
        words = line.split(None, 2)
        if len(words) == 3 and words[1] in "tTwW":
            found.setdefault(int(words[0], 16), []).append(words[2])
    addresses = sorted(found)
    return addresses, [found[address] for address in addresses]


def executed(profile):
    with open(profile, encoding="utf-8", errors="replace") as lines:
        return {int(match[1], 16) for line in lines if (match := re.match(r"0x([0-9a-f]+) ", line))}


addresses, names = functions(sys.argv[1])
runs = {}
for number, profile in enumerate(sys.argv[2:]):
    for place in {bisect.bisect(addresses, address) - 1 for address in executed(profile)}:
        if place >= 0:
            runs.setdefault(place, []).append(number)
print("# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause\n# Written by `make order`.")
for _, name in sorted(((-len(by), by), name) for place, by in runs.items() for name in names[place]):
    print(name)
