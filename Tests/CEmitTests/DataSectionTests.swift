// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import TestSupport
import Testing

@testable import CEmit

struct DataSectionTests {
    private typealias Entry = (name: String, type: UInt32, offset: UInt32, size: UInt32)

    /// The section `.bss` with these variables.
    private func section(
        _ asm: inout BTFAssembler, _ entries: [Entry], statics: Set<String> = [],
        size: Int = 4096, prefix: String? = nil
    ) throws -> DataSection {
        var words: [UInt32] = []
        for entry in entries {
            let linkage: UInt32 = statics.contains(entry.name) ? 0 : 1
            let id = asm.record(.var, entry.name, third: entry.type, [linkage])
            words += [id, entry.offset, entry.size]
        }
        let id = asm.record(.datasec, ".bss", third: 64, vlen: entries.count, words)
        return try #require(
            DataSection.list([(TypeID(id), size)], in: asm.parse(), prefix: prefix).first)
    }

    @Test func variablesStandAtTheirOffsets() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let long = asm.int("long", size: 8)
        let char = asm.int("char", size: 1)
        // Not in order of their places: the compiler's own gap before `b`, one more before `c`.
        let made = try section(
            &asm, [("b", long, 8, 8), ("a", int, 0, 4), ("c", char, 20, 1), ("d", int, 32, 4)])
        #expect(
            made.members == [
                "int a;", "long b;", "char __pad0[4];", "char c;", "char __pad1[11];", "int d;",
            ])
        #expect(made.types.isEmpty)
        #expect(made.variables.map(\.offset) == [0, 8, 20, 32])
        #expect(made.variables.map(\.name) == ["a", "b", "c", "d"])
    }

    @Test("constants that compilers compute with are const and not volatile, at any depth")
    func folded() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let char = asm.int("char", size: 1)
        let constant = asm.wrap(.const, int)
        let safe = asm.wrap(.const, asm.wrap(.volatile, int))
        let typedef = asm.record(.typedef, "cint", third: constant)
        let text = asm.array(asm.wrap(.const, char), index: int, 4)
        let safeText = asm.array(asm.wrap(.const, asm.wrap(.volatile, char)), index: int, 4)
        let pointer = asm.pointer(constant)
        let made = try section(
            &asm,
            [
                ("plain", int, 0, 4), ("constant", constant, 4, 4), ("safe", safe, 8, 4),
                ("named", typedef, 12, 4), ("text", text, 16, 4), ("safeText", safeText, 20, 4),
                ("pointer", pointer, 24, 8),
            ])
        #expect(
            made.variables.filter(\.isFolded).map(\.name) == ["constant", "named", "text"])
    }

    @Test("variables that no struct has are listed as well")
    func declared() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        var words: [UInt32] = []
        for (name, linkage) in [("open.limit", 0), ("limit", 0), ("all", 1), ("CONFIG_HZ", 2)] {
            let id = asm.record(.var, name, third: int, [UInt32(linkage)])
            words += [id, UInt32(words.count) / 3 * 4, 4]
        }
        _ = asm.record(.datasec, ".rodata", third: 16, vlen: 4, words)
        #expect(
            try DeclaredVariable.list(in: asm.parse()) == [
                .init(name: "limit", function: "open", section: ".rodata", isStatic: true),
                .init(name: "limit", section: ".rodata", isStatic: true),
                .init(name: "all", section: ".rodata"),
                .init(name: "CONFIG_HZ", section: ".rodata", isExtern: true),
            ])
    }

    @Test func arraysPointersAndFunctions() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let char = asm.int("char", size: 1)
        let row = asm.array(int, index: int, 3)
        let table = asm.array(row, index: int, 2)
        let text = asm.pointer(asm.wrap(.const, char))
        let task = asm.pointer(asm.forward("task_struct"))
        let call = asm.pointer(asm.prototype(returns: int, [("a", text), ("t", task)]))
        let made = try section(
            &asm,
            [
                ("table", table, 0, 24), ("text", text, 24, 8), ("task", task, 32, 8),
                ("call", call, 40, 8),
            ])
        #expect(
            made.members == [
                "int table[2][3];", "const char *text;", "struct task_struct *task;",
                "int (*call)(const char *a, struct task_struct *t);",
            ])
        // A struct that is first seen in a prototype would be another one each time.
        #expect(made.types == ["struct task_struct;"])
    }

    @Test func qualifiersAndTagsOfTheVariableGo() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let constant = asm.wrap(.const, asm.wrap(.volatile, int))
        let list = asm.wrap(.const, asm.array(constant, index: int, 2))
        let task = asm.structure("task_struct", size: 4, [("pid", int, 0)])
        let kptr = asm.pointer(asm.wrap(.typeTag, task, named: "kptr"))
        let made = try section(
            &asm, [("limit", constant, 0, 4), ("list", list, 4, 8), ("kept", kptr, 16, 8)])
        #expect(
            made.members == [
                "int limit;", "int list[2];", "struct task_struct *kept;",
            ])
    }

    @Test func typedefsOfKernelsAreFollowed() throws {
        var asm = BTFAssembler()
        let unsigned = asm.int("unsigned int", encoding: 0)
        let kept = asm.typedef("__u32", unsigned)
        let own = asm.typedef("u32", kept)
        let pid = asm.typedef("my_pid_t", asm.int())
        let flag = asm.typedef("bool", asm.int("_Bool", size: 1, encoding: IntEncoding.bool))
        let made = try section(
            &asm, [("a", own, 0, 4), ("b", pid, 4, 4), ("c", flag, 8, 1)])
        #expect(made.members == ["__u32 a;", "int b;", "bool c;"])
    }

    @Test func structsBelongToTheCodeAroundUnlessThereIsAPrefix() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let inner = asm.structure("inner", size: 4, [("x", int, 0)])
        let flags = asm.bitfields("flags", size: 4, [("a", int, 0, 3), ("b", int, 3, 5)])
        let outer = asm.structure("outer", size: 8, [("i", inner, 0), ("f", flags, 32)])
        let color = asm.enumeration("color", [("RED", 0)])
        let entries: [Entry] = [
            ("o", outer, 0, 8), ("c", color, 8, 4), ("p", asm.pointer(outer), 16, 8),
        ]
        var copy = asm
        let bare = try section(&asm, entries)
        #expect(bare.types.isEmpty)
        #expect(bare.members == ["struct outer o;", "enum color c;", "struct outer *p;"])

        let own = try section(&copy, entries, prefix: "o__")
        #expect(
            own.types == [
                "struct o__inner {", "\tint x;", "};",
                "struct o__flags {", "\tint a: 3;", "\tint b: 5;", "};",
                "struct o__outer {", "\tstruct o__inner i;", "\tstruct o__flags f;", "};",
            ])
        // What lies behind a pointer is never looked at; enumerators would clash.
        #expect(own.members == ["struct o__outer o;", "unsigned int c;", "struct outer *p;"])
    }

    /// Members that compilers take with -fms-extensions only.
    @Test(arguments: [nil, "o__"]) func taggedMembersWithoutNamesAreWrittenInPlace(prefix: String?)
        throws
    {
        var asm = BTFAssembler()
        let int = asm.int()
        let char = asm.int("char", size: 1)
        let bits = asm.bitfields("bits", size: 4, [("a", int, 0, 3), ("b", int, 3, 5)])
        let either = asm.structure(
            "either", size: 4, union: true, [("whole", int, 0), ("", bits, 0)])
        let packed = asm.structure("packed", size: 5, [("c", char, 0), ("d", int, 8)])
        let constant = asm.wrap(.const, asm.typedef("packed_t", packed))
        let cell = asm.structure("", size: 8, [("n", int, 0), ("", either, 32)])
        let hold = asm.structure(
            "", size: 28,
            [
                ("kind", int, 0), ("", either, 32), ("", constant, 64), ("bits", bits, 128),
                ("cells", asm.array(cell, index: int, 1), 160),
            ])
        let made = try section(&asm, [("state", hold, 0, 28)], prefix: prefix)
        let tag = prefix ?? ""
        #expect(
            made.members == [
                "struct {", "\tint kind;", "\tunion {", "\t\tint whole;", "\t\tstruct {",
                "\t\t\tint a: 3;", "\t\t\tint b: 5;", "\t\t};", "\t};", "\tstruct {",
                "\t\tchar c;", "\t\tint d;", "\t} __attribute__((packed));",
                "\tstruct \(tag)bits bits;", "\tstruct {", "\t\tint n;", "\t\tunion {",
                "\t\t\tint whole;", "\t\t\tstruct {", "\t\t\t\tint a: 3;",
                "\t\t\t\tint b: 5;", "\t\t\t};", "\t\t};", "\t} cells[1];",
                "} state;",
            ])
        // The same type with a name is still the one that is defined, once.
        #expect(made.types.count { $0 == "struct o__bits {" } == (prefix == nil ? 0 : 1))
    }

    /// What contains itself this way has no end in C either.
    @Test func taggedMemberInItself() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let loop = asm.structure("loop", size: 4, [("", asm.nextID, 0)])
        let outer = asm.structure("", size: 4, [("", loop, 0)])
        let made = try section(&asm, [("a", outer, 0, 4), ("b", int, 4, 4)])
        #expect(made.members == ["unsigned char a[4];", "int b;"])
    }

    /// Two sections of one header.
    @Test func typesOfSeveralSectionsAreDefinedOnce() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let shared = asm.structure("shared", size: 4, [("x", int, 0)])
        let outer = asm.structure("outer", size: 4, [("s", shared, 0)])
        let task = asm.pointer(asm.prototype([("t", asm.pointer(asm.forward("task")))]))
        var sections: [(type: TypeID, size: Int)] = []
        for (name, type) in [(".data", shared), (".bss", outer), (".rodata", shared)] {
            let (a, b) = (
                asm.variable("v_" + name.dropFirst(), type),
                asm.variable("f_" + name.dropFirst(), task)
            )
            sections.append((TypeID(asm.section(name, size: 16, [(a, 0, 4), (b, 8, 8)])), 16))
        }
        let made = try DataSection.list(sections, in: asm.parse(), prefix: "o__")
        #expect(
            made.map(\.types) == [
                ["struct o__shared {", "\tint x;", "};", "struct task;"],
                ["struct o__outer {", "\tstruct o__shared s;", "};"], [],
            ])
        #expect(
            made.map { $0.members[0] } == [
                "struct o__shared v_data;", "struct o__outer v_bss;", "struct o__shared v_rodata;",
            ])
    }

    @Test func anonymousTypesAreWrittenInPlace() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let anonymous = asm.structure("", size: 8, [("x", int, 0), ("y", int, 32)])
        let named = asm.typedef("point", anonymous)
        let values = asm.enumeration("", signed: true, [("A", -1)])
        let made = try section(
            &asm, [("p", named, 0, 8), ("e", values, 8, 4), ("q", asm.pointer(named), 16, 8)])
        #expect(
            made.members == [
                "struct {", "\tint x;", "\tint y;", "} p;", "int e;", "void *q;",
            ])
    }

    @Test func staticsAreSeenIfTheirNamesAreTheirOwn() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let made = try section(
            &asm,
            [
                ("one", int, 0, 4), ("two", int, 4, 4), ("f.count", int, 8, 4),
                ("alone", int, 12, 4),
                ("____fmt", int, 16, 4),
            ], statics: ["two", "f.count", "alone", "____fmt"])
        #expect(made.members == ["int one;", "int two;", "char __pad0[4];", "int alone;"])

        var twice = BTFAssembler()
        let type = twice.int()
        let shown = try section(
            &twice, [("a", type, 0, 4), ("b", type, 4, 4), ("b", type, 8, 4)], statics: ["b"])
        #expect(shown.members == ["int a;"])
    }

    @Test func whatCCannotSayIsBytes() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let hostile = asm.structure("a; int b", size: 4, [("x", int, 0)])
        let member = asm.structure("", size: 4, [("x; }", int, 0)])
        let loop = asm.nextID
        asm.structure("loop", size: 4, [("l", loop, 0)])
        let odd = asm.int("int); system(", size: 4)
        let made = try section(
            &asm,
            [
                ("h", hostile, 0, 4), ("m", member, 4, 4), ("l", loop, 8, 4), ("w", int, 12, 2),
                ("f", asm.forward("unknown"), 16, 4), ("o", odd, 20, 4), ("d", 999, 24, 4),
                ("i", int, 29, 4),
            ], prefix: "x__")
        #expect(
            made.members == [
                "unsigned char h[4];", "unsigned char m[4];", "unsigned char l[4];",
                "unsigned char w[2];", "char __pad0[2];", "unsigned char f[4];", "int o;",
                "unsigned char d[4];", "char __pad1[1];", "unsigned char i[4];",
            ])
        #expect(made.types.allSatisfy { !$0.contains("int b") })
    }

    @Test func whatLiesOutsideIsLeftOut() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let made = try section(
            &asm, [("a", int, 0, 4), ("b", int, 6, 4), ("c", int, .max, 4)], size: 8)
        #expect(made.members == ["int a;"])
    }

    @Test func variablesInEachOtherAreRefused() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let error = #expect(throws: BTFError.self) {
            _ = try section(&asm, [("a", int, 0, 4), ("b", int, 2, 4)])
        }
        #expect(error?.message.contains("variable b overlaps the one before") == true)
        var twice = BTFAssembler()
        let type = twice.int()
        #expect(throws: BTFError.self) {
            _ = try section(&twice, [("a", type, 0, 4), ("a", type, 4, 4)])
        }
    }

    @Test func onlySectionsHaveVariables() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        #expect(throws: BTFError.self) {
            _ = try DataSection.list([(TypeID(int), 4)], in: asm.parse(), prefix: nil)
        }
    }
}
