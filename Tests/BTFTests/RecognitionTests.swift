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
                "all types are its own",
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

    /// Kernels accept split BTF with an empty string of its own; a single fault is damage.
    @Test(arguments: [false, true]) func splitAfterAnEmptyString(bigEndian: Bool) throws {
        func mustBeSplit(_ bytes: [UInt8]) throws -> Bool {
            Recognition.mustBeSplit(ByteView(bytes), header: try Header.parse(ByteView(bytes)))
        }
        let base = try Self.whole(bigEndian: bigEndian, front: "names that others have")
        var asm = BTFAssembler(bigEndian: bigEndian, base: base, startsWithEmpty: true)
        let pointer = asm.pointer(2)
        for name in ["own", "other"] { asm.structure(name, size: 8, [("p", pointer, 0)]) }
        #expect(try mustBeSplit(asm.bytes()) && !recognise(asm.bytes()).isStandalone)
        #expect(check(ByteView(asm.bytes()), base: base).isSound)

        var whole = BTFAssembler(bigEndian: bigEndian)
        let int = whole.int()
        for index in 0..<40 { whole.typedef("t\(index)", int) }
        #expect(try !mustBeSplit(whole.bytes()))
        whole.pointer(1000)
        #expect(try !mustBeSplit(whole.bytes()))
        whole.raw([5000, TypeInfo(.const).rawValue, 1])
        #expect(try !mustBeSplit(whole.bytes()), "2 of 43 are damage")
        whole.pointer(1001)
        #expect(try mustBeSplit(whole.bytes()))
    }

    /// Signs that contradict each other.
    @Test func doubt() throws {
        let none = try recognise(BTFAssembler().bytes())
        #expect(!none.isStandalone && !none.isSure && none.signs.last == "it has no types")
        let bytes = ByteView(BTFAssembler().bytes())
        let alone = Recognition(bytes, header: try Header.parse(bytes), isModules: false)
        #expect(alone.isStandalone && !alone.isSure && alone.signs == none.signs)
        var wrong = BTFAssembler()
        wrong.function("f", wrong.int())
        let first = try recognise(wrong.bytes())
        #expect(
            first.isStandalone && !first.isSure
                && first.signs.last == "FUNC f: Invalid type_id: 1 is a INT")
        var outside = BTFAssembler()
        outside.int()
        outside.pointer(5)
        let leadsOut = try recognise(outside.bytes())
        #expect(!leadsOut.isStandalone && !leadsOut.isSure)
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

    /// Two of three names would begin inside other strings; a type without a name is none of them.
    @Test func namesInsideStrings() throws {
        var asm = BTFAssembler()
        let long = asm.string("abcd")
        let short = asm.string("ef")
        for offset in [long + 1, long + 2, short] {
            asm.raw([offset, TypeInfo(.fwd).rawValue, 0])
        }
        asm.pointer(1)
        #expect(try !recognise(asm.bytes()).isSure)
    }

    /// What types refer to decides, not what else kernels refuse.
    @Test func otherFaults() throws {
        let cases: [(isSure: Bool, (inout BTFAssembler) -> Void)] = [
            (true, { $0.structure("no name", size: 4, [("x", 1, 0)]) }),
            (true, { $0.structure("small", size: 2, [("x", 1, 0)]) }),
            (true, { $0.structure("s", size: 4, [("no name", 1, 0)]) }),
            (true, { $0.enumeration("no name", [("A", 1)]) }),
            (
                false,
                {
                    $0.structure("s", size: 4, [("x", 3, 0)])
                    $0.forward("f")
                }
            ),
            (
                false,
                {
                    $0.pointer(3)
                    $0.function("f", 4)
                    $0.prototype()
                }
            ),
            (false, { $0.raw([0, TypeInfo(.const).rawValue, 2]) }),
        ]
        for (isSure, add) in cases {
            var asm = BTFAssembler()
            asm.int()
            add(&asm)
            let found = try recognise(asm.bytes())
            #expect(found.isStandalone && found.isSure == isSure, "\(found.signs)")
        }
    }

    /// Not all that is standalone is C.
    @Test func withoutInt() throws {
        var function = BTFAssembler()
        function.function("f", function.prototype())
        var wide = BTFAssembler()
        wide.int("int", size: 8)
        var rust = BTFAssembler()
        rust.structure("S", size: 1, [("__0", rust.int("u8", size: 1, encoding: 0), 0)])
        var unnamed = BTFAssembler()
        unnamed.pointer(0)
        for asm in [function, wide, rust, unnamed] {
            let found = try recognise(asm.bytes())
            #expect(found.isStandalone && found.isSure)
        }
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
                == "3 of its 4 own names would begin inside other strings")
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
    }

    /// What is wrong whatever the base proves no other base.
    @Test func damagedItself() throws {
        let base = try Self.whole()
        #expect(BTF.misfit(of: ByteView([1, 2, 3]), on: base) == nil)
        var asm = BTFAssembler(base: base)
        asm.raw([asm.string("own"), 31 << 24, 0])
        #expect(reason(asm, on: base) == nil)
        asm = BTFAssembler(base: base)
        asm.raw([asm.string("own"), TypeInfo(.struct, vlen: 9).rawValue, 0])
        #expect(reason(asm, on: base) == nil)
        // Some producers write members that end after their struct, or names that are not C.
        asm = BTFAssembler(base: base)
        asm.structure("Own<T>", size: 2, [("x", 1, 0)])
        #expect(reason(asm, on: base) == nil)
        #expect(!check(try asm.parse()).isSound)
    }

    /// Strings that no type uses, anywhere, are no proof: many producers leave some.
    @Test func unusedStrings() throws {
        let base = try Self.whole()
        for unused in [["first"], ["first", "second"], ["own_first", "f"]] {
            for place in 0...2 {
                var asm = BTFAssembler(base: base)
                if place == 0 { for text in unused { _ = asm.string(text) } }
                asm.structure("own", size: 8, [("x", 1, 0), ("mine", asm.pointer(2), 0)])
                if place == 1 { for text in unused { _ = asm.string(text) } }
                asm.typedef("named", 1)
                if place == 2 { for text in unused { _ = asm.string(text) } }
                #expect(reason(asm, on: base) == nil, "\(unused) \(place)")
            }
        }
        var alone = BTFAssembler(base: base)
        _ = alone.string("unused")
        alone.pointer(2)
        #expect(reason(alone, on: base) == nil)
    }

    /// Names that are the end of others, in own strings and in those of the base, used there or
    /// not.
    @Test func namesInsideNames() throws {
        var whole = BTFAssembler()
        let int = whole.int()
        whole.typedef("base_words", int)
        let inside = whole.string("base_words") + 5
        whole.raw([inside, TypeInfo(.typedef).rawValue, int])
        let base = try whole.parse()
        var asm = BTFAssembler(base: base)
        asm.typedef("words_show", 1)
        asm.raw([asm.string("words_show") + 6, TypeInfo(.typedef).rawValue, 1])
        asm.raw([inside, TypeInfo(.struct, vlen: 0).rawValue, 0])
        #expect(reason(asm, on: base) == nil)
        // The type with the longer name was removed, the string was not.
        asm = BTFAssembler(base: base)
        asm.raw([asm.string("words_show") + 6, TypeInfo(.typedef).rawValue, 1])
        #expect(reason(asm, on: base) == nil)
        asm.typedef("other", 1)
        asm.raw([inside + 1, TypeInfo(.struct, vlen: 0).rawValue, 0])
        asm.typedef("another", 1)
        #expect(reason(asm, on: base) == nil)
    }

    /// As many types, strings of any other length: names begin where none can.
    @Test(arguments: 1...24) func stringsOfAnotherLength(_ more: Int) throws {
        let base = try Self.whole()
        let other = try Self.whole(front: String(repeating: "l", count: more))
        for (from, onto) in [(base, other), (other, base)] {
            var asm = BTFAssembler(base: from)
            for name in ["first_name", "another", "unlike_the_others", "own_struct_of_it"] {
                asm.structure(name, size: 4, [("member_of_\(name)", 1, 0)])
            }
            #expect(reason(asm, on: from) == nil)
            #expect(reason(asm, on: onto) != nil)
        }
    }
}
