// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@testable import Report

/// Each byte of BTF is counted once, for what uses it.
struct AccountTests {
    private func account(_ asm: BTFAssembler) throws -> SizeAccount {
        SizeAccount(try asm.parse(), size: asm.bytes().count)
    }

    private func sum(_ account: SizeAccount) -> Int {
        account.types.reduce(0) { $0 + $1.total } + account.common.total
    }

    @Test func records() throws {
        var asm = BTFAssembler()
        let int = asm.int("int")
        asm.structure("point", size: 8, [("x", int, 0), ("yy", int, 32)])
        asm.pointer(2)
        let account = try account(asm)
        #expect(
            account.types == [
                ByteUse(heads: 16, elements: 0, strings: 4),
                // `point`, `x` and `yy` with their NULs.
                ByteUse(heads: 12, elements: 24, strings: 6 + 2 + 3),
                // It alone has no name: the empty string is its own.
                ByteUse(heads: 12, elements: 0, strings: 1),
            ])
        #expect(account.kinds.map(\.word) == ["INT", "PTR", "STRUCT"])
        #expect(account.common.header == 24 && account.common.gaps == 0)
        #expect(account.total == asm.bytes().count && sum(account) == account.total)
    }

    /// The end of a name may be another name; only the rest of it is its own.
    @Test func overlappingStrings() throws {
        var asm = BTFAssembler()
        let name = asm.string("words_show")
        asm.raw([name, TypeInfo(.fwd).rawValue, 0])
        asm.raw([name + 6, TypeInfo(.fwd).rawValue, 0])
        // The same name twice is one user.
        let again = asm.string("again")
        asm.raw([again, TypeInfo(.enum, vlen: 1).rawValue, 4, again, 7])
        _ = asm.string("nobody")
        let account = try account(asm)
        #expect(account.types.map(\.strings) == [6, 0, 6])
        #expect(account.common.sharedStrings == 5)
        // `nobody`, and the empty string.
        #expect(account.common.unusedStrings == 7 + 1)
        #expect(sum(account) == account.total)
    }

    /// What the base has costs a module nothing.
    @Test func splitBTF() throws {
        var asm = BTFAssembler()
        asm.structure("common", size: 4, [("x", asm.int("int"), 0)])
        let base = try asm.parse()
        var own = BTFAssembler(base: base)
        own.raw([1, TypeInfo(.struct, vlen: 1).rawValue, 4, own.string("mine"), 1, 0])
        let account = try account(own)
        #expect(account.types == [ByteUse(heads: 12, elements: 12, strings: 5)])
        #expect(sum(account) == own.bytes().count)
    }

    /// A layout section and bytes between the sections are named, too.
    @Test func otherSections() throws {
        var asm = BTFAssembler(headerLength: 32)
        asm.int("int")
        let bytes = asm.bytes()
        let account = SizeAccount(try asm.parse(), size: bytes.count + 12)
        #expect(account.common.header == 32 && account.common.gaps == 12)
        #expect(sum(account) == bytes.count + 12)
    }

    /// Every kind, with random names that are parts of others.
    @Test func sumsHold() throws {
        var random = SeededRandom(seed: 7)
        for _ in 0..<200 {
            var asm = BTFAssembler()
            var offsets: [UInt32] = [0]
            for length in [3, 9, 1, 20] {
                let text = String((0..<length).map { _ in "abcdef".randomElement(using: &random)! })
                let offset = asm.string(text)
                offsets += (0...UInt32(length)).map { offset + $0 }
            }
            for _ in 0..<12 {
                let kind = Kind.allCases.randomElement(using: &random)!
                let count = kind.shape.element == 0 ? 0 : Int.random(in: 0...3, using: &random)
                var words = [UInt32](repeating: 0, count: kind.shape.words(vlen: count))
                words[1] = TypeInfo(kind, vlen: count).rawValue
                forEachName(words, 0) { words[$0] = offsets.randomElement(using: &random)! }
                asm.raw(words)
            }
            let account = try account(asm)
            #expect(sum(account) == asm.bytes().count)
            let kinds = account.kinds.reduce(0) { $0 + $1.use.bytes.total }
            #expect(kinds + account.common.total == account.total)
        }
    }

    // MARK: Reasons

    @Test func chains() throws {
        var asm = BTFAssembler()
        let int = asm.int("int")
        let inner = asm.structure("inner", size: 4, [("i", int, 0)])
        let pointer = asm.pointer(inner)
        let outer = asm.structure("outer", size: 8, [("other", int, 0), ("held", pointer, 0)])
        let alias = asm.typedef("outer_t", outer)
        let prototype = asm.prototype([("who", asm.pointer(alias))])
        asm.function("call", prototype)
        let lonely = asm.structure("lonely", size: 0, [])
        let variable = asm.structure("kept", size: 0, [])
        let section = asm.section("data", size: 4, [(asm.variable("v", variable), 0, 4)])
        let chains = ReferenceChains(try asm.parse())
        #expect(
            chains.chain(to: TypeID(inner))?.steps == [
                "FUNC call", "parameter who: outer_t *", "typedef outer_t: struct outer",
                "member held: struct inner *",
            ])
        #expect(chains.chain(to: TypeID(variable))?.steps == ["VAR v", "struct kept"])
        #expect(chains.chain(to: TypeID(section))?.steps == ["DATASEC data"])
        #expect(chains.chain(to: TypeID(lonely)) == nil)
        // Of two ways, the shorter one.
        #expect(chains.chain(to: TypeID(int))?.steps.last == "member other: int")
        #expect(chains.chain(to: TypeID(0)) == nil && chains.chain(to: TypeID(999)) == nil)
    }

    /// Types that refer to themselves, and to types that do not exist.
    @Test func hostileChains() throws {
        var asm = BTFAssembler()
        asm.raw([0, TypeInfo(.ptr).rawValue, 1])
        asm.raw([asm.string("f"), TypeInfo(.func).rawValue, 77])
        for id in UInt32(3)..<300 { asm.pointer(id + 1) }
        asm.function("deep", 3)
        let chains = ReferenceChains(try asm.parse())
        #expect(chains.chain(to: TypeID(1)) == nil)
        #expect(chains.chain(to: TypeID(2))?.steps == ["FUNC f"])
        #expect(chains.chain(to: TypeID(299)) != nil)
    }

    // MARK: Source files

    @Test func units() throws {
        var asm = BTFAssembler()
        let int = asm.int("int")
        let mine = asm.structure("mine", size: 8, [("p", asm.pointer(int), 0)])
        asm.pointer(mine)
        asm.function("second", asm.prototype([("x", int)]))
        asm.forward("nowhere")
        let btf = try asm.parse()
        let account = SizeAccount(btf, size: asm.bytes().count)
        let sums = account.units(of: btf, count: 2) { kind, name in
            switch (kind, String(decoding: name, as: UTF8.self)) {
            case (.struct, "mine"), (.int, "int"): 0
            case (.func, "second"): 1
            default: nil
            }
        }
        // `int`, `mine` and its pointer; the function and its prototype; what nothing leads to.
        #expect(sums.map(\.types) == [3, 2, 2])
        #expect(
            sums.reduce(0) { $0 + $1.bytes.total } == account.types.reduce(0) { $0 + $1.total })
    }
}
