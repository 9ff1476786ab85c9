// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// What BTF tells about the base that it stands on.
@Suite struct RecognitionTests {
    private static func whole(
        bigEndian: Bool = false, front: String = "", _ more: (inout BTFAssembler) -> Void = { _ in }
    ) throws -> BTF {
        var asm = BTFAssembler(bigEndian: bigEndian)
        if !front.isEmpty { _ = asm.string(front) }
        let int = asm.int()
        asm.structure("s", size: 4, [("x", int, 0)])
        more(&asm)
        return try asm.parse()
    }

    private func recognise(_ bytes: [UInt8]) throws -> Recognition {
        let view = ByteView(bytes)
        return Recognition(view, header: try Header.parse(view))
    }

    @Test(arguments: [false, true]) func standalone(bigEndian: Bool) throws {
        var asm = BTFAssembler(bigEndian: bigEndian)
        asm.pointer(asm.int())
        let found = try recognise(asm.bytes())
        #expect(found.isStandalone && found.isSure)
        #expect(
            found.signs == [
                "its strings begin with the empty one", "all names are its own",
                "all types are its own", "it has its own 'int'",
            ])
    }

    @Test(arguments: [false, true]) func split(bigEndian: Bool) throws {
        let base = try Self.whole(bigEndian: bigEndian)
        var asm = BTFAssembler(bigEndian: bigEndian, base: base)
        asm.structure("own", size: 8, [("p", asm.pointer(2), 0)])
        let found = try recognise(asm.bytes())
        #expect(!found.isStandalone && found.isSure)
        #expect(
            found.signs[1...] == [
                "name offset 11 lies outside its 6 bytes of strings",
                "its type 2 refers to type 3, it has 2",
            ])
        let empty = try recognise(BTFAssembler(base: base).bytes())
        #expect(!empty.isStandalone && !empty.isSure, "nothing leads out of it")
    }

    /// Signs that contradict each other.
    @Test func doubt() throws {
        var noInt = BTFAssembler()
        noInt.function("f", noInt.prototype())
        let first = try recognise(noInt.bytes())
        #expect(
            first.isStandalone && !first.isSure && first.signs.last == "it has no 'int' of its own")
        var small = BTFAssembler()
        small.int("int", size: 8)
        #expect(try !recognise(small.bytes()).isSure)
        var outside = BTFAssembler()
        outside.int()
        outside.pointer(5)
        #expect(try !recognise(outside.bytes()).isSure)
        var name = BTFAssembler()
        name.int()
        name.raw([99, TypeInfo(.struct).rawValue, 0])
        #expect(try !recognise(name.bytes()).isSure)
        var cut = BTFAssembler()
        cut.int()
        cut.raw([0, TypeInfo(.struct, vlen: 0xffffff).rawValue, 0])
        let damaged = try recognise(cut.bytes())
        #expect(!damaged.isSure && damaged.signs[1] == "its types are damaged after 1 of them")
    }

    // MARK: Which base

    private func reason(_ asm: BTFAssembler, on base: BTF) -> String? {
        BTF.misfit(of: ByteView(asm.bytes()), on: base)?.message
    }

    @Test(arguments: [false, true]) func fits(bigEndian: Bool) throws {
        let base = try Self.whole(bigEndian: bigEndian)
        var asm = BTFAssembler(bigEndian: bigEndian, base: base)
        asm.structure("own", size: 8, [("x", 1, 0), ("mine", asm.pointer(2), 0)])
        asm.function("f", asm.prototype(returns: 1))
        #expect(reason(asm, on: base) == nil)
        #expect(
            reason(asm, on: try Self.whole(bigEndian: !bigEndian))?.hasPrefix("byte order is")
                == true)
        // Shorter strings: names end outside. Longer ones: an own string is nobody's name.
        let bare = try BTFAssembler(bigEndian: bigEndian).parse()
        #expect(reason(asm, on: bare)?.contains("is outside the strings") == true)
        #expect(
            reason(asm, on: try Self.whole(bigEndian: bigEndian, front: "longer"))
                == "none of its types is called 'own' there")
        // Another number of types: references lead to types of other kinds.
        let more = try Self.whole(bigEndian: bigEndian) { $0.pointer(1) }
        #expect(more.strings.count == base.strings.count && more.typeCount == base.typeCount + 1)
        #expect(reason(asm, on: more) != nil)
    }

    @Test func unsound() throws {
        let base = try Self.whole()
        var asm = BTFAssembler(base: base)
        asm.pointer(70)
        #expect(reason(asm, on: base) == "it refers to type 70, the last one is 3")
        asm = BTFAssembler(base: base)
        asm.function("f", 1)
        #expect(reason(asm, on: base)?.contains("FUNC f") == true)
        #expect(BTF.misfit(of: ByteView([1, 2, 3]), on: base)?.offset == 0)
    }
}
