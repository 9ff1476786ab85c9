# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Writes a C file of random types, one per seed, for what csmith does not make: attributes, bitfields of all types,
members without names, flexible arrays, enums of all sizes and signs, functions that take and return all that.

random-types.py SEED > FILE"""

import random
import sys

SCALARS = [
    ("_Bool", 1), ("char", 8), ("signed char", 8), ("unsigned char", 8), ("short", 16), ("unsigned short", 16),
    ("int", 32), ("unsigned int", 32), ("long", 32), ("unsigned long", 32), ("long long", 64), ("unsigned long long", 64),
]
FLOATS = ["float", "double", "long double"]


class File:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines = []
        self.number = 0
        # Complete types that a member may have, and enums, which a bitfield may have too.
        self.types = [name for name, _ in SCALARS] + FLOATS + ["void *", "const char *"]
        self.enums = []
        # Typedefs may ask for an alignment that their size is no multiple of.
        self.elements = list(self.types)
        self.structs = []

    def name(self, prefix):
        self.number += 1
        return f"{prefix}{self.number}"

    def one_in(self, chance):
        return self.random.randrange(chance) == 0

    def attributes(self, alignments):
        words = []
        if self.one_in(5):
            words.append("packed")
        if self.one_in(5):
            words.append(f"aligned({self.random.choice(alignments)})")
        return f" __attribute__(({', '.join(words)}))" if words else ""

    def enum(self):
        tag = self.name("e")
        values, value = [], self.random.choice([0, 0, -3, 1 << 31, 1 << 40, -(1 << 35)])
        for _ in range(self.random.randint(1, 6)):
            suffix = "LL" if abs(value) >= 1 << 31 else ""
            values.append(f"{tag.upper()}_{len(values)} = {value}{suffix}")
            value += self.random.randint(1, 90)
        # Half of them are named before they are defined.
        if self.one_in(2):
            self.lines.append(f"enum {tag};\nstruct p{tag} {{ enum {tag} *p; }};")
        self.lines.append(f"enum {tag} {{ {', '.join(values)} }}{' __attribute__((packed))' if self.one_in(5) else ''};")
        self.types.append(f"enum {tag}")
        self.elements.append(f"enum {tag}")
        self.enums.append((f"enum {tag}", 7))

    def typedef(self):
        name = self.name("t")
        alignment = f" __attribute__((aligned({self.random.choice([1, 2, 4, 8, 16])})))" if self.one_in(4) else ""
        self.lines.append(f"typedef {self.random.choice(self.types)} {name}{alignment};")
        self.types.append(name)

    def member(self, depth):
        pick = self.random.randrange(20)
        if pick < 5:
            base, bits = self.random.choice(SCALARS + self.enums)
            if self.one_in(8):
                return f"{base} : {self.random.choice([0, min(bits, 3)])};"
            return f"{base} {self.name('b')} : {self.random.randint(1, bits)};"
        if pick < 7 and depth < 3:
            inner = self.body(depth + 1)
            named = "" if self.one_in(2) else self.name(" m") + self.random.choice(["", "[2]"])
            return f"{inner}{named};"
        if pick < 9:
            return f"{self.random.choice(self.elements)} {self.name('a')}{self.random.choice(['[3]', '[2][3]', '[0]', '[1]'])};"
        if pick < 10:
            return f"{self.random.choice(self.types)} (*{self.name('f')})({self.random.choice(self.types)}, int);"
        alignment = f" __attribute__((aligned({self.random.choice([2, 8, 32])})))" if self.one_in(12) else ""
        return f"{self.random.choice(['', '', 'const ', 'volatile '])}{self.random.choice(self.types)} {self.name('m')}{alignment};"

    def body(self, depth, tag=""):
        word = "union" if self.one_in(4) else "struct"
        members = " ".join(self.member(depth) for _ in range(self.random.randint(1, 7)))
        if word == "struct" and depth == 0 and self.one_in(10):
            members += f" int first; {self.random.choice(self.elements)} flexible[];"
        return f"{word}{' ' + tag if tag else ''} {{ {members} }}{self.attributes([1, 2, 4, 8, 16, 64])}"

    def composite(self):
        tag = self.name("s")
        text = self.body(0, tag)
        self.lines.append(text + ";")
        self.structs.append(f"{text.split()[0]} {tag}")
        if "flexible" not in text:
            self.types.append(self.structs[-1])
            self.elements.append(self.structs[-1])

    def function(self):
        parameters = [f"{self.random.choice(self.types)} p{i}" for i in range(self.random.randint(0, 7))]
        result = self.random.choice(["void"] + self.types)
        name = self.name("fn")
        touched = " ".join(f"touch(&p{i});" for i in range(len(parameters)) if self.one_in(2))
        value = f"{result} r; __builtin_memset(&r, 0, sizeof r); return r;" if result != "void" else ""
        linkage = "static __attribute__((noinline, used)) " if self.one_in(2) else ""
        self.lines.append(f"{linkage}{result} {name}({', '.join(parameters) or 'void'}) {{ {touched} {value} }}")

    def text(self):
        makers = [self.enum, self.typedef, self.composite, self.composite, self.composite, self.function]
        for _ in range(40):
            self.random.choice(makers)()
        kept = " ".join(f"{struct} *keep{i};" for i, struct in enumerate(self.structs))
        return "void touch(const volatile void *);\n" + "\n".join(self.lines) + f"\nstruct kept {{ {kept} }} kept;\n"


print(File(int(sys.argv[1])).text())
