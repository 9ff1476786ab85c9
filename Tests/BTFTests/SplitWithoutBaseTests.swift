// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@Suite struct SplitWithoutBaseTests {
    private func base(types: Int) throws -> BTF {
        var asm = BTFAssembler()
        for number in 0..<types { asm.int("int\(number)") }
        return try asm.parse()
    }

    /// Functions with records of other kinds between them, over some base.
    private func split(
        _ functions: [String], over base: BTF, bigEndian: Bool = false
    ) throws -> (bytes: [UInt8], ids: [String: UInt32]) {
        var asm = BTFAssembler(base: base)
        asm.typedef("first", 1)
        var ids: [String: UInt32] = [:]
        for (index, name) in functions.enumerated() {
            for _ in 0...index { asm.pointer(1) }
            ids[name] = asm.function(name, asm.prototype())
        }
        return (asm.bytes(), ids)
    }

    /// Offsets of names count to 2^31: what claims more is refused for that, read with or without a
    /// base.
    @Test func tooManyStrings() throws {
        var bytes = try split(["a"], over: base(types: 1)).bytes
        for (index, byte) in [UInt8(0), 0, 0, 0x80].enumerated() { bytes[20 + index] = byte }
        let message = "string section of 2147483648 bytes, expected at most 2147483647"
        #expect {
            try SplitWithoutBase(ByteView(bytes))
        } throws: {
            "\($0)".contains(message)
        }
        #expect {
            try BTF.parse(ByteView(bytes))
        } throws: {
            "\($0)".contains(message)
        }
    }

    @Test func functions() throws {
        for types in [1, 2, 100] {
            let (bytes, ids) = try split(["a", "bc", "d", "c", "e"], over: base(types: types))
            let parsed = try SplitWithoutBase(ByteView(bytes))
            for names in [["a", "bc", "d"], ["c", "e", "a"], ["a", "bc", "d", "c", "e", "gone"]] {
                let wanted = names.filter { $0 != "gone" }
                let found = parsed.functions(wanted.map { ids[$0]! }.reversed(), among: names)
                #expect(
                    found == Dictionary(uniqueKeysWithValues: wanted.map { (ids[$0]!, $0) }),
                    "\(names) over \(types)")
            }
        }
    }

    /// Strings that no type uses, at the start too, are no reason to lay the names elsewhere.
    @Test(arguments: [["unused"], ["x", "yy"], ["ab"]]) func unusedStrings(
        _ unused: [String]
    ) throws {
        var asm = BTFAssembler(base: try base(types: 7))
        for text in unused { _ = asm.string(text) }
        asm.typedef("first", 1)
        let ids = ["alpha", "be", "c"].map {
            asm.pointer(1)
            return asm.function($0, asm.prototype())
        }
        _ = asm.string("last")
        let parsed = try SplitWithoutBase(ByteView(asm.bytes()))
        #expect(
            parsed.functions(ids, among: ["alpha", "be", "c"])
                == [ids[0]: "alpha", ids[1]: "be", ids[2]: "c"])
        #expect(parsed.functions([ids[1]], among: ["be"]) == [ids[1]: "be"])
    }

    /// A function's type is a prototype: ids that would make it something else are none.
    @Test func withoutPrototype() throws {
        var asm = BTFAssembler(base: try base(types: 3))
        asm.typedef("first", 1)
        let ids = ["a", "b"].map { asm.function($0, asm.prototype()) }
        let parsed = try SplitWithoutBase(ByteView(asm.bytes()))
        #expect(parsed.functions([ids[0]], among: ["a"]) == [ids[0]: "a"])
    }

    @Test func nothingFits() throws {
        let (bytes, ids) = try split(["a", "b", "c"], over: base(types: 5))
        let parsed = try SplitWithoutBase(ByteView(bytes))
        // Another distance, a name that is not there, more ids than names, none.
        #expect(parsed.functions([ids["a"]!, ids["b"]! + 1], among: ["a", "b"]) == nil)
        #expect(parsed.functions([ids["a"]!, ids["b"]!], among: ["a", "x"]) == nil)
        #expect(parsed.functions([ids["a"]!, ids["b"]!], among: ["a"]) == nil)
        #expect(parsed.functions([], among: ["a"]) == nil)
        #expect(parsed.functions([1, .max], among: ["a", "b"]) == nil)
    }

    /// Equal distances between the records, between the names' lengths too: both fit.
    @Test func severalFit() throws {
        var asm = BTFAssembler(base: try base(types: 3))
        asm.typedef("x", 1)
        let ids = ["a", "b", "c"].map { asm.function($0, 1) }
        let parsed = try SplitWithoutBase(ByteView(asm.bytes()))
        #expect(parsed.functions([ids[0]], among: ["a", "b"]) == nil)
        // The first string, x, is in use: an offset two lower would leave it out.
        #expect(
            parsed.functions([ids[0], ids[1]], among: ["a", "b"]) == [ids[0]: "a", ids[1]: "b"])
        #expect(parsed.functions(ids, among: ["a", "b", "c"])?.count == 3)
    }

    @Test func hostile() throws {
        var asm = BTFAssembler(base: try base(types: 1))
        let name = asm.string("a")
        for _ in 0..<5000 { asm.raw([name, TypeInfo(.func).rawValue, 1]) }
        for number in 0..<3000 { _ = asm.string("\(number)a") }
        let parsed = try SplitWithoutBase(ByteView(asm.bytes()))
        let names = ["a"] + (0..<255).map { "n\($0)" }
        let needed = processorSeconds {
            #expect(parsed.functions((0..<200).map { $0 * 3 + 7 }, among: names) == nil)
        }
        #expect(needed < 60)
        #expect(parsed.functions([1], among: (0..<257).map { "\($0)" }) == nil)
        #expect(throws: BTFError.self) { try SplitWithoutBase(ByteView([1, 2, 3])) }
    }
}
