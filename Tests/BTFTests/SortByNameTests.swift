// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@Suite struct SortByNameTests {
    /// Records in order, as kind and name.
    private func order(_ btf: BTF) -> [String] {
        btf.ownRecords.map { "\($0.kind.word) \($0.name)" }
    }

    @Test(arguments: [false, true]) func order(bigEndian: Bool) throws {
        var asm = BTFAssembler(bigEndian: bigEndian)
        let int = asm.int("unsigned int")
        let pointer = asm.pointer(int)
        asm.structure("abcdefgh_2", size: 8, [("p", pointer, 0)])
        asm.structure("abcdefgh_10", size: 8, [("p", pointer, 0)])
        asm.typedef("abcdefgh", int)
        asm.typedef("B", int)
        asm.typedef("\u{e9}", int)
        let proto = asm.prototype(returns: int, [("x", pointer)])
        asm.function("a", proto)
        asm.structure("a", size: 0, [])
        let btf = try asm.parse()
        let sorted = try btf.sortedByName()
        #expect(
            order(sorted) == [
                "PTR ", "FUNC_PROTO ", "TYPEDEF B", "FUNC a", "STRUCT a", "TYPEDEF abcdefgh",
                "STRUCT abcdefgh_10", "STRUCT abcdefgh_2", "INT unsigned int", "TYPEDEF \u{e9}",
            ])
        #expect(compare(btf, sorted, limit: 9).isEqual)
        let again = try BTF.parse(ByteView(sorted.serialized()))
        #expect(order(again) == order(sorted) && compare(btf, again, limit: 9).isEqual)
        #expect(try again.sortedByName().serialized() == sorted.serialized())
    }

    /// All kinds refer to what they referred to.
    @Test func references() throws {
        var asm = BTFAssembler()
        let int = asm.int("z_int")
        let array = asm.array(int, index: int, 3)
        let structure = asm.structure("y", size: 12, [("m", array, 0)])
        let variable = asm.variable("x", structure)
        asm.section("w", size: 12, [(variable, 0, 12)])
        let proto = asm.prototype(returns: structure, [("p", array), ("q", int)])
        let function = asm.function("v", proto)
        asm.declTag("u", function, component: 1)
        asm.typeTag("t", structure)
        let btf = try asm.parse()
        let sorted = try btf.sortedByName()
        #expect(
            order(sorted) == [
                "ARRAY ", "FUNC_PROTO ", "TYPE_TAG t", "DECL_TAG u", "FUNC v", "DATASEC w", "VAR x",
                "STRUCT y", "INT z_int",
            ])
        #expect(compare(btf, sorted, limit: 9).isEqual)
        #expect(check(sorted).isSound)
    }

    /// The base stays, and so do references to it; names may be the base's.
    @Test func split() throws {
        var asm = BTFAssembler()
        let int = asm.int("int")
        asm.typedef("a_base_name", int)
        let base = try asm.parse()
        var own = BTFAssembler(base: base)
        let b = own.typedef("b", int)
        own.pointer(b)
        // Named by the base's string.
        own.raw([base.record(TypeID(2))!.nameOffset, TypeInfo(.typedef).rawValue, b])
        let btf = try own.parse()
        let sorted = try btf.sortedByName()
        #expect(order(sorted) == ["PTR ", "TYPEDEF a_base_name", "TYPEDEF b"])
        #expect(sorted.firstID == btf.firstID && sorted.base === base)
        #expect(sorted.record(TypeID(3))?.type == TypeID(5))
        #expect(sorted.record(TypeID(4))?.type == TypeID(5))
        #expect(sorted.record(TypeID(5))?.type == TypeID(int))
        #expect(sorted.strings == btf.strings)
    }

    /// The description of kinds stays.
    @Test func layout() throws {
        var asm = BTFAssembler(headerLength: 32)
        asm.layout = [UInt8](repeating: 0, count: 80)
        asm.typedef("b", asm.int("a"))
        let sorted = try asm.parse().sortedByName()
        #expect(sorted.header.layoutLength == 80)
        let again = try BTF.parse(ByteView(sorted.serialized()))
        #expect(again.header == sorted.header && order(again) == ["INT a", "TYPEDEF b"])
        #expect(check(again).isSound)
    }

    @Test func dangling() throws {
        var asm = BTFAssembler()
        asm.typedef("a", 7)
        let btf = try asm.parse()
        #expect(throws: BTFError.self) { try btf.sortedByName() }
    }

    @Test func nothing() throws {
        let btf = try BTFAssembler().parse()
        #expect(try btf.sortedByName().serialized() == BTFAssembler().bytes())
    }
}
