#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Compares where the BTF of files says that functions are inlined with their debug information.

    sites.py FOLDER FILE...

FOLDER has NAME.btf and NAME.btf.inline of each FILE, standalone, of `kbtf encode --features default,inline`. The
debug information is read with pyelftools and knows nothing of kbtf. Counted is each DW_TAG_inlined_subroutine below a
function with code. It must be in the LOCSEC of its section under its function's name, at the offset where it is
entered (DW_AT_entry_pc, else DW_AT_low_pc, else the first range that is not empty), with the place that each
parameter has there. What may be missing is counted by its rule:

    no-address          no address, or not in a section of code
    function            nameless, or with a nameless parameter, or with more than 127
    no-location         a parameter without a location, or an empty one
    elsewhere           its list has nothing for this address
    inexpressible-OP    LOC_PARAM has nothing for DW_OP_OP, or for what it makes

Prints differences, and the numbers in the last line; exit status 1 for any difference.
"""
import struct
import sys
from collections import Counter
from multiprocessing import Pool

from elftools.dwarf.dwarf_expr import DWARFExprParser
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

FRAME = 0xFFFFFFFF
KINDS = {1: (1, 0), 2: (0, 0), 3: (3, 0), 4: (0, 3), 5: (0, 3), 6: (0, 2), 7: (0, 0), 8: (0, 0), 9: (0, 0),
         10: (0, 0), 11: (0, 0), 12: (0, 0), 13: (0, 2), 14: (1, 0), 15: (0, 3), 16: (0, 0), 17: (1, 0), 18: (0, 0),
         19: (0, 3), 20: (1, 1), 21: (0, 1), 22: (0, 3)}


def read_btf(datas):
    """The sites of BTF and what continues it: (section, offset, function) -> places."""
    records, texts, order = [None], b"", "<"
    for data in datas:
        order = "<" if data[:2] == b"\x9f\xeb" else ">"
        header, type_at, type_size, text_at, text_size = struct.unpack_from(order + "IIIII", data, 4)
        texts += data[header + text_at:header + text_at + text_size]
        place, end = header + type_at, header + type_at + type_size
        while place < end:
            name, info, third = struct.unpack_from(order + "III", data, place)
            kind, count = info >> 24 & 0x7F, info & 0xFFFFFF
            fixed, each = KINDS[kind]
            words = fixed + (0 if kind == 12 else each * count)
            records.append((kind, name, third, struct.unpack_from(f"{order}{words}I", data, place + 12)))
            place += 12 + 4 * words
    name_of = lambda at: texts[at:texts.index(b"\0", at)].decode()
    sites = Counter()
    for record in records[1:]:
        if record[0] != 22:
            continue
        section, words = name_of(record[1])[len("inline"):], record[3]
        for at in range(0, len(words), 3):
            places = tuple(said(records[place]) if place else "-" for place in records[words[at + 1]][3])
            sites[section, words[at + 2], name_of(records[words[at]][1]), places] += 1
    return sites


def said(record):
    """A LOC_PARAM as `place` says it."""
    _, _, size, (flags, *values) = record
    if flags & 2:
        number = values[0] | (values[1] << 32 if len(values) > 1 else 0)
        return ("address" if flags & 4 else "constant", number & (1 << 8 * size) - 1)
    if flags & 0x20:
        number = values[1] | (values[2] << 32 if len(values) > 2 else 0)
        if flags & 1:
            bits = 64 if len(values) > 2 else 32
            number -= (number >> bits - 1) << bits
        return ("memory" if flags & 0x10 else "sum", values[0], number)
    return ("memory", values[0], 0) if flags & 0x10 else ("register", *values)


class File:
    def __init__(self, path):
        self.elf = ELFFile(open(path, "rb"))
        self.linked = self.elf["e_type"] != "ET_REL"
        self.big = not self.elf.little_endian
        self.dwarf = self.elf.get_dwarf_info()
        self.symbols = next(s for s in self.elf.iter_sections() if isinstance(s, SymbolTableSection))
        self.places = {}
        self.code = [s for s in self.elf.iter_sections() if s["sh_flags"] & 6 == 6]
        self.lists = {}

    def relocations(self, name):
        """Place -> (section, offset in it), of addresses in that debug section."""
        if name not in self.places:
            found = self.places[name] = {}
            section = self.elf.get_section_by_name(".rela" + name)
            for entry in section.iter_relocations() if section and not self.linked else ():
                symbol = self.symbols.get_symbol(entry["r_info_sym"])
                if isinstance(symbol["st_shndx"], int):
                    found[entry["r_offset"]] = (symbol["st_shndx"], symbol["st_value"] + entry["r_addend"])
        return self.places[name]

    def address(self, name, at, value):
        """An address in a debug section as (section, offset): section 0 for a number as it is."""
        return self.relocations(name).get(at, (0, value))

    def section(self, address):
        """(name, offset) in a section of code; None outside."""
        index, offset = address
        if self.linked:
            for section in self.code:
                if 0 <= offset - section["sh_addr"] < section["sh_size"]:
                    return section.name, offset - section["sh_addr"]
            return None
        section = self.elf.get_section(index) if index else None
        if section is None or section["sh_flags"] & 6 != 6 or not 0 <= offset < section["sh_size"]:
            return None
        return section.name, offset

    def data(self, name):
        if name not in self.lists:
            section = self.elf.get_section_by_name(name)
            self.lists[name] = section.data() if section else b""
        return self.lists[name]


class Reader:
    """Numbers of a debug section in a row; addresses with their section."""

    def __init__(self, file, name, at, size):
        self.file, self.name, self.at, self.size, self.bytes = file, name, at, size, file.data(name)

    def number(self, size):
        self.at += size
        return int.from_bytes(self.bytes[self.at - size:self.at], "big" if self.file.big else "little")

    def address(self):
        at = self.at
        return self.file.address(self.name, at, self.number(self.size))

    def uleb(self):
        value = shift = 0
        while True:
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def block(self, size):
        self.at += size
        return self.bytes[self.at - size:self.at]


def plus(address, offset):
    return (address[0], address[1] + offset)


def entries(reader, version, base, has_expressions):
    """(start, end, expression) of a list of locations or ranges; start None for the default location."""
    highest = (1 << 8 * reader.size) - 1
    while True:
        start = end = None
        if version < 5:
            first, second = reader.address(), reader.address()
            if first == (0, highest):
                base = second
                continue
            if first == (0, 0) and second == (0, 0):
                return
            start, end = ((first, second) if first[0] else
                          (plus(base, first[1]), plus(base, second[1])))
        else:
            code = reader.number(1)
            if not has_expressions and code >= 5:  # DW_RLE has no default location
                code += 1
            if code == 0:
                return
            if code == 4:
                start, end = plus(base, reader.uleb()), plus(base, reader.uleb())
            elif code == 6:
                base = reader.address()
                continue
            elif code == 7:
                start, end = reader.address(), reader.address()
            elif code == 8:
                start = reader.address()
                end = plus(start, reader.uleb())
            elif code == 9 and has_expressions:
                reader.uleb(), reader.uleb()
                continue
            elif code != 5:
                raise ValueError(f"list entry {code}")
        expression = None
        if has_expressions:
            expression = reader.block(reader.uleb() if version >= 5 else reader.number(2))
        yield start, end, expression


class Unit:
    def __init__(self, file, unit):
        self.file, self.unit, self.version = file, unit, unit["version"]
        top = unit.get_top_DIE().attributes
        self.base = (0, 0)
        if "DW_AT_low_pc" in top:
            self.base = file.address(".debug_info", top["DW_AT_low_pc"].offset, top["DW_AT_low_pc"].value)
        self.parser = DWARFExprParser(unit.structs)

    def entries(self, name, at, has_expressions):
        name = ".debug_" + (name + "lists" if self.version >= 5 else {"loc": "loc", "rng": "ranges"}[name])
        return entries(
            Reader(self.file, name, at, self.unit["address_size"]), self.version, self.base, has_expressions)

    def entry(self, die):
        """The address where the code of an entry begins; None without one."""
        start = None
        if "DW_AT_low_pc" in die.attributes:
            low = die.attributes["DW_AT_low_pc"]
            start = self.file.address(".debug_info", low.offset, low.value)
        elif "DW_AT_ranges" in die.attributes:
            for first, last, _ in self.entries("rng", die.attributes["DW_AT_ranges"].value, False):
                if first != last:
                    start = first
                    break
        if "DW_AT_entry_pc" not in die.attributes:
            return start
        entry = die.attributes["DW_AT_entry_pc"]
        if entry.form == "DW_FORM_addr":
            return self.file.address(".debug_info", entry.offset, entry.value)
        return plus(start, entry.value) if start else None

    def place(self, die, address, size):
        """What a parameter's attributes say of it at `address`: a place, or (None, rule)."""
        if "DW_AT_const_value" in die.attributes:
            constant = die.attributes["DW_AT_const_value"]
            if not isinstance(constant.value, int) or not 1 <= size <= 8:
                return None, "inexpressible-constant"
            return ("constant", constant.value & (1 << 8 * size) - 1), None
        if "DW_AT_location" not in die.attributes:
            return None, "no-location"
        location = die.attributes["DW_AT_location"]
        if location.form not in ("DW_FORM_sec_offset", "DW_FORM_data4", "DW_FORM_data8", "DW_FORM_loclistx"):
            return self.meaning(bytes(location.value), size)
        default, some = None, False
        for start, end, expression in self.entries("loc", location.value, True):
            some = True
            if start is None:
                default = expression
            elif start[0] == address[0] == end[0] and start[1] <= address[1] < end[1]:
                return self.meaning(expression, size)
        if default is not None:
            return self.meaning(default, size)
        return None, "elsewhere" if some else "no-location"

    def meaning(self, expression, size):
        word = self.unit["address_size"]
        if not expression:
            return None, "no-location"
        if not 1 <= size <= 16:
            return None, "inexpressible-size"
        operations = [(op.op_name[6:], op.args) for op in self.parser.parse_expr(list(expression))]
        names = [name for name, _ in operations]
        register = lambda at: operations[at][1][0] if names[at] == "regx" else int(names[at][3:])
        is_register = lambda at: names[at].startswith("reg")
        if is_register(0):
            if len(names) == 1 or names[1:] == ["piece"] and operations[1][1][0] == size:
                return ("register", register(0)), None
            if len(names) == 4 and is_register(2) and names[1] == names[3] == "piece" and \
                    operations[1][1][0] == word and 0 < operations[3][1][0] == size - word <= word:
                return ("register", register(0), register(2)), None
            return None, "inexpressible-piece"
        # (what, number): what is "number", "address", a register, or ("load", register, offset, bytes).
        stack = []
        for at, (name, args) in enumerate(operations):
            last = at == len(operations) - 1
            if name.startswith("lit"):
                stack.append(("number", int(name[3:])))
            elif name.startswith("const") and name[5:] in ("u", "s", "1u", "1s", "2u", "2s", "4u", "4s", "8u", "8s"):
                stack.append(("number", args[0]))
            elif name == "addr":
                stack.append(("address", args[0]))
            elif name.startswith("breg") and name != "bregx":
                stack.append((int(name[4:]), args[0]))
            elif name == "bregx":
                stack.append((args[0], args[1]))
            elif name == "fbreg":
                stack.append((FRAME, args[0]))
            elif name == "plus_uconst" and stack:
                stack[-1] = (stack[-1][0], stack[-1][1] + args[0])
            elif name in ("plus", "minus") and len(stack) > 1:
                right, left = stack.pop(), stack.pop()
                if right[0] == "number":
                    stack.append((left[0], left[1] + (right[1] if name == "plus" else -right[1])))
                elif left[0] == "number" and name == "plus":
                    stack.append((right[0], right[1] + left[1]))
                else:
                    return None, "inexpressible-" + name
            elif name in ("deref", "deref_size") and stack and isinstance(stack[-1][0], int):
                base, offset = stack.pop()
                stack.append((("load", base, offset, word if name == "deref" else args[0]), 0))
            elif name == "implicit_value" and last and len(args[0]) == size <= 8:
                return ("constant", int.from_bytes(bytes(args[0]), "big" if self.file.big else "little")), None
            elif name == "stack_value" and last and stack:
                what, number = stack[-1]
                if what == "number":
                    if size > 8:
                        return None, "inexpressible-size"
                    return ("constant", number & (1 << 8 * size) - 1), None
                if what == "address":
                    return self.program_address(number, size)
                if isinstance(what, tuple):
                    if number or not (what[3] == size or what[3] > size and not self.file.big):
                        return None, "inexpressible-deref"
                    return ("memory", what[1], what[2]), None
                if number == 0 and what != FRAME:
                    return ("register", what), None
                return ("sum", what, number), None
            else:
                return None, "inexpressible-" + name
        if stack and isinstance(stack[-1][0], int):
            return ("memory", *stack[-1]), None
        return None, "inexpressible-memory"

    def program_address(self, address, size):
        text = self.file.elf.get_section_by_name(".text")
        inside = any(s["sh_flags"] & 2 and s["sh_type"] in ("SHT_PROGBITS", "SHT_NOBITS") and
                     0 <= address - s["sh_addr"] < s["sh_size"] for s in self.file.elf.iter_sections())
        if not self.file.linked or not inside or address < text["sh_addr"] or size > 8:
            return None, "inexpressible-addr"
        return ("address", address - text["sh_addr"] & (1 << 8 * size) - 1), None


def origin(die):
    for link in ("DW_AT_abstract_origin", "DW_AT_specification"):
        if link in die.attributes:
            return die.get_DIE_from_attribute(link)
    return None


def find(die, attribute):
    for _ in range(5):
        if die is None or attribute in die.attributes:
            break
        die = origin(die)
    return die if die is not None and attribute in die.attributes else None


def size_of(die, word):
    """Bytes of the value of a parameter."""
    for _ in range(32):
        die = find(die, "DW_AT_type") if die.tag in ("DW_TAG_formal_parameter",) else die
        if die is None:
            return 0
        if die.tag == "DW_TAG_formal_parameter" or die.tag in (
                "DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type", "DW_TAG_restrict_type",
                "DW_TAG_atomic_type"):
            if "DW_AT_type" not in die.attributes:
                return 0
            die = die.get_DIE_from_attribute("DW_AT_type")
        elif die.tag == "DW_TAG_pointer_type":
            return word
        elif "DW_AT_byte_size" in die.attributes:
            return die.attributes["DW_AT_byte_size"].value
        else:
            return 0
    return 0


def function_of(die, word):
    """(name, parameters' entries -> position, sizes, takes more) of an inlined function; None by rule."""
    named = find(die, "DW_AT_name")
    parameters = [child for child in die.iter_children() if child.tag == "DW_TAG_formal_parameter"]
    if named is None or len(parameters) > 127 or any(find(p, "DW_AT_name") is None for p in parameters):
        return None
    return (
        named.attributes["DW_AT_name"].value.decode(), {p.offset: at for at, p in enumerate(parameters)},
        [size_of(p, word) for p in parameters],
        any(child.tag == "DW_TAG_unspecified_parameters" for child in die.iter_children()))


def expected(path):
    """The sites that the debug information shows, and what is missing by rule."""
    file, sites, rules, functions = File(path), Counter(), Counter(), {}
    for unit in file.dwarf.iter_CUs():
        reader = Unit(file, unit)
        pending = [(unit.get_top_DIE(), False)]
        while pending:
            die, inside = pending.pop()
            if die.tag == "DW_TAG_subprogram" and not inside:
                inside = "DW_AT_low_pc" in die.attributes or "DW_AT_ranges" in die.attributes
                if not inside:
                    continue
            elif not inside and die.tag not in ("DW_TAG_compile_unit", "DW_TAG_namespace"):
                continue
            if inside and die.tag == "DW_TAG_inlined_subroutine":
                rules["calls"] += 1
                callee = origin(die)
                if callee.offset not in functions:
                    functions[callee.offset] = function_of(callee, unit["address_size"])
                function, address = functions[callee.offset], reader.entry(die)
                place = file.section(address) if address else None
                if function is None:
                    rules["function"] += 1
                elif place is None:
                    rules["no-address"] += 1
                else:
                    name, positions, sizes, more = function
                    places = ["-"] * (len(sizes) + more)
                    reasons = ["no-location"] * len(sizes)
                    for child in die.iter_children():
                        link = origin(child) if child.tag == "DW_TAG_formal_parameter" else None
                        at = positions.get(link.offset) if link else None
                        if at is None or places[at] != "-":
                            continue
                        found, reasons[at] = reader.place(child, address, sizes[at])
                        places[at] = found or "-"
                    rules["parameters"] += len(sizes)
                    rules.update(reason for reason in reasons if reason)
                    sites[place[0], place[1], name, tuple(places)] += 1
            if die.has_children:
                pending += [(child, inside) for child in die.iter_children()]
    return sites, rules


def examine(path, folder):
    name = f"{folder}/{path.rsplit('/', 1)[1]}.btf"
    datas = [open(name, "rb").read()]
    try:
        datas.append(open(name + ".inline", "rb").read())
    except FileNotFoundError:
        pass
    found, (wanted, rules) = read_btf(datas), expected(path)
    lines = [f"{path}: {what}: {site}" for what, some in (("missing", wanted - found), ("too many", found - wanted))
             for site in some.elements()]
    rules["sites"] = sum(found.values())
    return rules, lines


def main():
    folder, paths = sys.argv[1], sys.argv[2:]
    total, differences = Counter(), []
    with Pool(maxtasksperchild=1) as pool:
        for rules, lines in pool.starmap(examine, [(path, folder) for path in paths], chunksize=1):
            total += rules
            differences += lines
    for line in differences:
        print(line)
    print("files", len(paths), *(f"{key} {total[key]}" for key in sorted(total)), "differences", len(differences))
    return 1 if differences or total["sites"] == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
