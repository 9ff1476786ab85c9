// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

struct StructLayoutTests {
    /// struct s { char a; long b; struct { unsigned x:3; unsigned y:30; char z; } in[2];
    /// union { int i; char c; }; struct s *next; }, or a later one.
    private static func build(_ asm: inout BTFAssembler, isNew: Bool) -> TypeID {
        let char = asm.int("char", size: 1)
        let long = asm.int("long int", size: 8)
        let unsigned = asm.int("unsigned int", encoding: 0)
        let inner = asm.bitfields(
            size: 12, [("x", unsigned, 0, 3), ("y", unsigned, 32, 30), ("z", char, 64, 0)])
        let array = asm.array(inner, index: unsigned, 2)
        let union = asm.structure(size: 4, union: true, [("i", unsigned, 0), ("c", char, 0)])
        let id = asm.nextID
        var members = [
            ("a", char, 0), ("b", long, 64), ("in", array, 128), ("", union, UInt32(320)),
        ]
        if isNew {
            members[1].1 = asm.nextID + 1
            members.append(("more", long, 384))
        }
        members.append(("next", id + 1, isNew ? 448 : 384))
        asm.structure("s", size: isNew ? 72 : 56, members)
        asm.pointer(id)
        return TypeID(id)
    }

    private static func layout(isNew: Bool = false) throws -> StructLayout {
        var asm = BTFAssembler()
        let id = build(&asm, isNew: isNew)
        return try StructLayout(asm.parse(), id)
    }

    @Test func text() throws {
        let text = String(decoding: try Self.layout().text(cacheLine: 32), as: UTF8.self)
        #expect(
            text == """
                struct s {
                	char a;                                         /*     0        1 */

                	/* XXX 7 bytes hole */

                	long int b;                                     /*     8        8 */
                	struct {
                		unsigned int x:3;                       /*    16: 0     4 */

                		/* XXX 29 bits hole */

                		unsigned int y:30;                      /*    20: 0     4 */

                		/* XXX 2 bits hole */

                		char z;                                 /*    24        1 */

                		/* XXX 3 bytes padding */

                	} in[2];                                        /*    16       24 */
                	/* --- cacheline 1 boundary (32 bytes) was 8 bytes ago --- */
                	union {
                		unsigned int i;                         /*    40        4 */
                		char c;                                 /*    40        1 */
                	};                                              /*    40        4 */

                	/* XXX 4 bytes hole */

                	struct s *next;                                 /*    48        8 */

                	/* size: 56, cachelines: 2, members: 5 */
                	/* sum members: 45, holes: 2, sum holes: 11 */
                	/* last cacheline: 24 bytes */
                };

                """)
    }

    @Test func comparison() throws {
        let comparison = LayoutComparison(try Self.layout(), try Self.layout(isNew: true))
        #expect(!comparison.isEqual)
        #expect(
            comparison.rows.map { ($0.b ?? $0.a)!.path + ": " + $0.changes.joined(separator: " ") }
                == [
                    "a: ", "b: type", "in.x: ", "in.y: ", "in.z: ", "in: ", "i: ", "c: ",
                    "more: only in B", "next: moved",
                ])
        let text = String(decoding: comparison.text(), as: UTF8.self)
        #expect(text.hasPrefix("struct s: 56 bytes in A, 72 in B\n"))
        #expect(LayoutComparison(comparison.a, comparison.a).isEqual)
    }

    /// An INT of three bits, as structs without the kind flag have it.
    @Test func irregularIntegers() throws {
        var asm = BTFAssembler()
        let three = asm.int("int", size: 4, offset: 2, bits: 3)
        let id = asm.structure("old", size: 4, [("f", three, 8)])
        let row = try StructLayout(asm.parse(), TypeID(id)).rows[0]
        #expect(row.offset == 10 && row.size == 3 && row.unit == 4)
        #expect(row.declaration == "int f:3")
    }

    /// Each level has the one below twice.
    @Test func unboundedRows() throws {
        var asm = BTFAssembler()
        var inner = asm.int()
        for _ in 0..<40 { inner = asm.structure(size: 4, [("", inner, 0), ("", inner, 0)]) }
        let btf = try asm.parse()
        #expect(throws: BTFError.self) { try StructLayout(btf, TypeID(inner)) }
        var loop = BTFAssembler()
        loop.structure(size: 4, [("", 1, 0)])
        let looped = try loop.parse()
        #expect(throws: BTFError.self) { try StructLayout(looped, TypeID(1)) }
        #expect(throws: BTFError.self) { try StructLayout(looped, TypeID(7)) }
    }

    @Test(arguments: [
        ("", ""), ("a", "a"), ("tcp_*", "tcp_ack"), ("*_ack", "tcp_ack"), ("t?p*c*", "tcp_ack"),
        ("*", ""), ("a*b*c", "aXbXbYc"),
    ]) func patternsThatFit(_ pattern: String, _ name: String) throws {
        var selection = TypeSelection()
        selection.names = [pattern]
        #expect(try selected(by: selection, name))
    }

    @Test(arguments: [("", "a"), ("?", ""), ("tcp_*", "tcp"), ("a*b*c", "aXbXbY"), ("A", "a")])
    func patternsThatDoNot(_ pattern: String, _ name: String) throws {
        var selection = TypeSelection()
        selection.names = [pattern]
        #expect(try !selected(by: selection, name))
    }

    /// Whether a comparison counts a struct with that name.
    private func selected(by selection: TypeSelection, _ name: String) throws -> Bool {
        var asm = BTFAssembler()
        asm.structure(name, size: 0, [])
        let btf = try asm.parse()
        return compare(btf, btf, selection: selection)[.struct].common == 1
    }

    /// Structs whose members moved come first, functions with another prototype before those that
    /// came or went, and types without a name last.
    @Test func orderOfDifferences() throws {
        func file(_ isNew: Bool) throws -> BTF {
            var asm = BTFAssembler()
            let int = asm.int()
            if isNew { asm.pointer(asm.pointer(int)) }
            let prototype = asm.prototype(returns: isNew ? int : 0, [("x", int)])
            asm.function("changed", prototype)
            asm.function(isNew ? "came" : "went", prototype)
            _ = Self.build(&asm, isNew: isNew)
            return try asm.parse()
        }
        let result = compare(try file(false), try file(true))
        let lines = result.differences.map { "\($0.kind.word) \($0.text)" }
        #expect(lines.first == "STRUCT struct s")
        let functions = result.differences.filter { $0.kind == .func }
        #expect(functions.count == 3 && functions[0].a != nil && functions[0].b != nil)
        #expect(lines.last?.hasPrefix("STRUCT") == false && lines.last?.hasPrefix("FUNC ") == false)
        let text = String(decoding: result.text(), as: UTF8.self)
        #expect(
            text.contains(
                """
                STRUCT struct s: 56 bytes in A, 72 in B
                    b: `long int b` in A, `struct s *b` in B
                    + 48 (8 bytes): long int more
                    next: 48 -> 56, moved by 8 bytes

                """), "\(text)")
    }

    /// What the module points at counts, and what is in there by value; not what is behind pointers
    /// in there.
    @Test func useOfABase() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let far = asm.structure("far", size: 4, [("x", int, 0)])
        let part = asm.structure("part", size: 4, [("x", int, 0)])
        let parts = asm.array(asm.typedef("part_t", part), index: int, 2)
        let near = asm.structure(
            "near", size: 16, [("part", parts, 0), ("far", asm.pointer(far), 64)])
        asm.structure("unused", size: 4, [("x", int, 0)])
        let base = try asm.parse()
        var split = BTFAssembler(base: base)
        split.structure("own", size: 8, [("p", split.pointer(near), 0)])
        var selection = TypeSelection()
        selection.used = TypeUse(of: try split.parse())
        let result = compare(base, base, selection: selection)
        #expect(result[.struct].common == 2 && result[.typedef].common == 1)
    }
}
