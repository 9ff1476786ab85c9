# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Compares what `kbtf check --attach --json` says of programs with what became of them in a guest (programs.c).

programs.py JSON TOLD

A program with an error has to fail to load or attach, one without has to do both; one with something unknown is not
judged.
"""

import json
import os
import sys


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        files = json.load(file)["files"]
    predicted = {}
    for entry in files:
        name = os.path.basename(entry["file"]).removesuffix(".o")
        findings = [f for program in entry.get("programs", []) for f in program["findings"]]
        if "error" in entry:
            findings.append({"severity": "error", "message": str(entry["error"])})
        predicted[name] = findings
    same = differing = unknown = failing = 0
    told = {}
    with open(sys.argv[2], encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if len(words) == 4 and words[0] == "program":
                told[words[1]] = words[2:]
    for name, findings in sorted(predicted.items()):
        kinds = {f["severity"] for f in findings}
        said = "; ".join(f["severity"] + ": " + f["message"] for f in findings) or "nothing"
        if name not in told:
            print(f"{name}: the guest did not try it")
            differing += 1
            continue
        load, attach = told[name]
        fails = load != "0" or attach not in ("0", "-")
        failing += fails
        if "unknown" in kinds and "error" not in kinds:
            unknown += 1
            print(f"{name}: not judged: load {load}, attach {attach}: {said}")
        elif fails != ("error" in kinds):
            differing += 1
            print(f"{name}: differs: load {load}, attach {attach}: {said}")
        else:
            same += 1
            print(f"{name}: load {load}, attach {attach}: {said}")
    print(f"{same + differing + unknown} programs, {failing} fail: {same} as said, {unknown} not judged, {differing} differ")
    return differing != 0 or same < 30


sys.exit(main())
