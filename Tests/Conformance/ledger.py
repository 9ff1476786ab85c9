#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Counts the functions and per-CPU variables of modules that are neither in their BTF nor in the ledger.

    ledger.py BTF-FOLDER LEDGER MODULE...

BTF-FOLDER has standalone BTF of each module, NAME.ko.btf. The debug information is read with pyelftools and knows
nothing of kbtf. Counted is each DW_TAG_subprogram that is no declaration and has code, a name or both, and each
DW_TAG_variable, at any depth, whose address lies in a section .data..percpu*. Relocations say which section that is.
(clang has entries without either, which only hold what a function that is gone had in it.)

A variable must be in the DATASEC under its name, at its offset; a function by its name. Prints what is missing, and
the numbers in the last line; exit status 1 if anything is missing.
"""
import json
import struct
import sys
from collections import Counter
from multiprocessing import Pool

from elftools.dwarf.dwarf_expr import DWARFExprParser
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

OF_VARIABLES = {
    "no-symbol", "void-variable", "empty-variable", "overlapping-variable", "local-variable", "unnamed-variable",
    "no-location", "computed-location", "variable-in-pieces", "thread-local", "other-per-cpu-section",
    "no-debug-information", "invalid-name",
}
OF_FUNCTIONS = {
    "no-symbol", "unnamed-parameter", "unexpected-register", "reordered-parameters", "optimized-parameter",
    "changed-signature",
    "inconsistent-prototype", "inlined-twin", "ambiguous-address", "unnamed-function", "invalid-name",
}


class BTF:
    """The functions of standalone BTF by name, and the variables of its DATASEC by name and offset."""

    # Words behind the three that all kinds have: so many, and so many for each of vlen.
    SHAPE = {1: (1, 0), 2: (0, 0), 3: (3, 0), 4: (0, 3), 5: (0, 3), 6: (0, 2), 7: (0, 0), 8: (0, 0), 9: (0, 0),
             10: (0, 0), 11: (0, 0), 12: (0, 0), 13: (0, 2), 14: (1, 0), 15: (0, 3), 16: (0, 0), 17: (1, 0),
             18: (0, 0), 19: (0, 3)}

    def __init__(self, data):
        magic, _, _, header, type_at, type_size, text_at, _ = struct.unpack_from("<HBBIIIII", data)
        assert magic == 0xEB9F
        self.functions, self.variables = set(), set()
        texts = header + text_at
        records = [None]
        place = header + type_at
        end = place + type_size
        while place < end:
            name, info, _ = struct.unpack_from("<III", data, place)
            kind, count = info >> 24 & 0x1F, info & 0xFFFF
            fixed, each = self.SHAPE[kind]
            text = data[texts + name:data.index(b"\0", texts + name)].decode()
            records.append((kind, text, place + 12, count))
            place += 12 + 4 * (fixed + each * count)
        for kind, text, at, count in records[1:]:
            if kind == 12:
                self.functions.add(text)
            elif kind == 15 and text == ".data..percpu":
                for index in range(count):
                    variable, offset, _ = struct.unpack_from("<III", data, at + 12 * index)
                    self.variables.add((records[variable][1], offset))


class Module:
    def __init__(self, path):
        self.elf = ELFFile(open(path, "rb"))
        self.dwarf = self.elf.get_dwarf_info()
        self.symbols = next(s for s in self.elf.iter_sections() if isinstance(s, SymbolTableSection))
        self.addresses = {name: self.relocations(name) for name in (".debug_info", ".debug_addr")}
        self.operations = {}

    def relocations(self, name):
        """Place -> (section index, offset in it), for whole addresses that lie in some section."""
        found = {}
        section = self.elf.get_section_by_name(".rela" + name)
        for entry in section.iter_relocations() if section else ():
            symbol = self.symbols.get_symbol(entry["r_info_sym"])
            if isinstance(symbol["st_shndx"], int):
                found[entry["r_offset"]] = (symbol["st_shndx"], symbol["st_value"] + entry["r_addend"])
        return found

    def place(self, die, attribute):
        """(section name, offset) of a variable; None for what is in none."""
        if attribute.form not in ("DW_FORM_exprloc", "DW_FORM_block1", "DW_FORM_block", "DW_FORM_block2"):
            return None
        unit = die.cu
        parser = self.operations.setdefault(unit.cu_offset, DWARFExprParser(unit.structs))
        # The operations before any address are of fixed size, and there are none.
        code = attribute.value[0] if attribute.value else 0
        if code == 0x03:
            length = 2 if attribute.form == "DW_FORM_block2" else 1
            found = self.addresses[".debug_info"].get(attribute.offset + length + 1)
        elif code in (0xA1, 0xFB):
            index = parser.parse_expr(attribute.value)[0].args[0]
            base = unit.get_top_DIE().attributes["DW_AT_addr_base"].value
            found = self.addresses[".debug_addr"].get(base + index * unit["address_size"])
        else:
            return None
        if found is None:
            return None
        section, offset = found
        for operation in parser.parse_expr(attribute.value)[1:]:
            if operation.op_name != "DW_OP_plus_uconst":
                return None
            offset += operation.args[0]
        return self.elf.get_section(section).name, offset


def name_of(die):
    for _ in range(5):
        if "DW_AT_name" in die.attributes:
            return die.attributes["DW_AT_name"].value.decode()
        for link in ("DW_AT_abstract_origin", "DW_AT_specification"):
            if link in die.attributes:
                die = die.get_DIE_from_attribute(link)
                break
        else:
            return ""
    return ""


def examine(path, folder, entries):
    """What the module's debug information has, and what of that is missing."""
    module = Module(path)
    btf = BTF(open(f"{folder}/{path.rsplit('/', 1)[1]}.btf", "rb").read())
    functions = {entry["name"] for entry in entries if entry["reason"] in OF_FUNCTIONS}
    variables = {entry["name"] for entry in entries if entry["reason"] in OF_VARIABLES}
    left_out = {entry["name"] for entry in entries if entry["reason"] == "excluded-language"}
    counts, missing = Counter(), []
    for unit in module.dwarf.iter_CUs():
        top = unit.get_top_DIE()
        if name_of(top) in left_out:
            counts["units-left-out"] += 1
            continue
        for die in unit.iter_DIEs():
            if die.tag == "DW_TAG_subprogram" and "DW_AT_declaration" not in die.attributes:
                name = name_of(die)
                has_code = "DW_AT_low_pc" in die.attributes or "DW_AT_ranges" in die.attributes
                if not name and not has_code:
                    continue
                counts["functions"] += 1
                counts["functions-with-code"] += has_code
                if name in btf.functions:
                    counts["functions-in-btf"] += 1
                elif name in functions:
                    counts["functions-in-ledger"] += 1
                else:
                    missing.append(f"{path}: function {name} at 0x{die.offset:x}")
            elif die.tag == "DW_TAG_variable" and "DW_AT_location" in die.attributes:
                place = module.place(die, die.attributes["DW_AT_location"])
                if place is None or not place[0].startswith(".data..percpu"):
                    continue
                name = name_of(die)
                counts["variables"] += 1
                if place[0] == ".data..percpu" and (name, place[1]) in btf.variables:
                    counts["variables-in-btf"] += 1
                elif name in variables:
                    counts["variables-in-ledger"] += 1
                else:
                    missing.append(f"{path}: variable {name} at 0x{die.offset:x}, {place[0]}+0x{place[1]:x}")
    return counts, missing


def main():
    folder, ledger, paths = sys.argv[1], sys.argv[2], sys.argv[3:]
    ledgers = json.load(open(ledger))
    ledgers = {entry["file"]: entry for entry in (ledgers if isinstance(ledgers, list) else [ledgers])}
    total = Counter()
    missing = []
    with Pool(maxtasksperchild=1) as pool:
        tasks = [(path, folder, ledgers[path]["entries"]) for path in paths]
        for counts, lost in pool.starmap(examine, tasks, chunksize=1):
            total += counts
            missing += lost
    for line in missing:
        print(line)
    print("modules", len(paths), *(f"{key} {total[key]}" for key in sorted(total)), "missing", len(missing))
    return 1 if missing or total["functions"] == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
