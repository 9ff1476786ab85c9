// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Tables
import TestSupport
import Testing

@testable import BTF

/// Types of a base by name, as an index holds them and as it comes back from a file.
@Suite struct NamedTypesTests {
    /// Ids: int 1, struct one 2, struct two 3, union two 4, enum two 5, fwd one 6, typedef one 7,
    /// enum late without values 8, with values 9, struct without a name 10.
    private func base() -> BTFAssembler {
        var asm = BTFAssembler()
        let int = asm.int()
        let one = asm.structure("one", size: 4, [("x", int, 0)])
        asm.structure("two", size: 4, [("y", int, 0)])
        asm.structure("two", size: 4, union: true, [("z", int, 0)])
        asm.enumeration("two", [("A", 1)])
        asm.forward("one")
        asm.typedef("one", one)
        asm.enumeration("late", [])
        asm.enumeration("late", [("B", 2)])
        asm.structure("", size: 4, [("w", int, 0)])
        return asm
    }

    @Test func found() throws {
        let bytes = ByteView(base().bytes())
        let btf = try BTF.parse(bytes)
        let made = BaseIndex(btf)
        let back = try #require(BaseIndex(frozen: made.frozen(over: bytes), over: bytes))
        for index in [made, back] {
            func info(_ id: UInt32) -> TypeInfo {
                TypeInfo(rawValue: index.words[Int(index.starts[Int(id)]) + 1])
            }
            func name(_ text: String) throws -> UInt32 {
                let found = withBytes(Array(text.utf8)) {
                    index.strings.find($0, hash: hashBytes($0))
                }
                return UInt32(try #require(found))
            }
            func composites(_ text: String) throws -> NamedComposites {
                NamedComposites(try name(text), in: index.named, info)
            }
            #expect(try composites("one") == .one(2))
            #expect(try composites("two") == .several)
            #expect(try composites("late") == .none && composites("int") == .none)
            #expect(NamedComposites(0, in: index.named, info) == .none)
            #expect(NamedComposites(.max, in: index.named, info) == .none)
            let late = try name("late")
            #expect(index.named.first(late) { _ in true } == 8)
            #expect(index.named.first(late) { info($0).vlen > 0 } == 9)
            #expect(index.named.first(late) { _ in false } == nil)
            #expect(index.named.entries.count == 6, "only structs, unions and enums with names")
        }
    }

    @Test func nothing() throws {
        let none = NamedTypes(1) { _, _ in 0 }
        #expect(none.first(1) { _ in true } == nil)
    }
}
