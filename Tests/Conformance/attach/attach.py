# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Chooses from what `kbtf attach --json` predicts what a guest is to try.

attach.py load FILE               loading only, of all targets of one listing
attach.py some SEED COUNT FILE... COUNT targets of each listing, loaded and attached

Prints the lines that tries.c reads. Rare kinds of answers are chosen as often as frequent ones.
"""

import json
import os
import random
import re
import sys


def number(answer):
    return answer.get("errno_number", 0)


def kind(target):
    """What makes one target unlike others."""
    load, attach = target["load"], target["attach"]
    words = re.sub(r"\b(function|hook|name|id) \S+|^\S+ is|\d+|^\S+\(\)", "", load.get("words") or "")
    slots = sum(a["slots"] for a in target.get("arguments", []))
    wide = any(a["slots"] > 1 for a in target.get("arguments", []))
    return (load["answer"], words, load.get("cause"), attach["answer"], re.sub(r"\d+", "", attach.get("cause") or ""),
            min(slots, 13) if slots > 4 else 0, wide, bool(target["notes"]))


def line(listing, target, with_attach):
    module = os.path.basename(listing["module"] or "").split(".")[0].replace("-", "_")
    way = target["program"] + (".s" if listing["sleepable"] else "")
    attach = number(target["attach"]) if with_attach and target["attach"]["answer"] != "unknown" else -1
    words = target["load"].get("words") or ""
    return "\t".join(str(f) for f in (target["id"], way, number(target["load"]), attach, module, target["name"], words))


def main():
    command, arguments = sys.argv[1], sys.argv[2:]
    if command == "load":
        with open(arguments[0], encoding="utf-8") as file:
            listing = json.load(file)
        for target in listing["targets"]:
            print(line(listing, target, False))
        return
    chance, count = random.Random(int(arguments[0])), int(arguments[1])
    for name in arguments[2:]:
        with open(name, encoding="utf-8") as file:
            listing = json.load(file)
        kinds = {}
        for target in listing["targets"]:
            if target["load"]["answer"] == "unknown":
                continue
            # Some need more than their program.
            if target["program"] == "iter" and target["notes"]:
                continue
            kinds.setdefault(kind(target), []).append(target)
        for group in kinds.values():
            chance.shuffle(group)
        chosen = []
        while len(chosen) < count and any(kinds.values()):
            for key in sorted(kinds, key=repr):
                if kinds[key] and len(chosen) < count:
                    chosen.append(kinds[key].pop())
        for target in chosen:
            print(line(listing, target, True))


main()
