// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import TestSupport
import Testing

@testable import BTF

/// An index as bytes, and back.
@Suite struct BaseIndexTests {
    static func base(bigEndian: Bool = false, nested: Bool = false) -> BTFAssembler {
        var asm = BTFAssembler(bigEndian: bigEndian)
        let int = asm.int("int")
        let list = asm.structure("list", size: 8, [("next", 3, 0)])
        _ = asm.pointer(list)
        _ = asm.forward("list")
        let row = asm.array(int, index: int, 4)
        _ = asm.array(nested ? row : int, index: int, 3)
        _ = asm.typedef("count_t", int)
        return asm
    }

    /// All that encoding may ask of an index.
    func answers(_ index: BaseIndex) -> [String] {
        var lines = [
            "\(index.typeCount) \(index.stringLength) \(index.nestsArrays) \(index.resolvesForwards)",
            "\(index.words.indices.map { index.words[$0] })",
            "\(index.starts.indices.map { index.starts[$0] })",
        ]
        lines += index.named.entries.indices.map { "\(index.named.entries[$0])" }
        let words = index.words.indices.map { index.words[$0] }
        let starts = index.starts.indices.map { index.starts[$0] }
        for id in 1..<Int(index.typeCount) {
            guard let hash = recordHash(words, starts, id) else { continue }
            var entry = index.types.first(hash: hash)
            while let found = entry {
                lines.append("\(id): \(found)")
                entry = index.types.after(found, hash: hash)
            }
        }
        for name in ["", "int", "list", "next", "count_t", "t", "other"] {
            let offset = withBytes(Array(name.utf8)) { index.strings.find($0, hash: hashBytes($0)) }
            lines.append("\(name): \(offset ?? -1)")
        }
        return lines
    }

    @Test(arguments: [false, true], [false, true])
    func thereAndBack(_ bigEndian: Bool, _ nested: Bool) throws {
        let raw = ByteView(BaseIndexTests.base(bigEndian: bigEndian, nested: nested).bytes())
        let made = BaseIndex(try BTF.parse(raw))
        #expect(made.nestsArrays == nested && !made.resolvesForwards)
        let image = made.frozen(over: raw)
        let back = try #require(BaseIndex(frozen: image, over: raw))
        #expect(answers(back) == answers(made))
        #expect(answers(made).contains { $0.hasPrefix("2: 2") })
        // It stays what it is when it is frozen again, as for a second file.
        #expect(back.frozen(over: raw).array == image.array)
    }

    /// What the kernel's functions say of it.
    @Test(arguments: [false, true]) func evidenceOfFunctions(_ isPatched: Bool) throws {
        var asm = BTFAssembler()
        let prototype = asm.prototype(returns: asm.int())
        asm.function(isPatched ? "btf_is_standalone" : "btf_is_standalone_", prototype)
        let raw = ByteView(asm.bytes())
        let made = BaseIndex(try BTF.parse(raw))
        let back = try #require(BaseIndex(frozen: made.frozen(over: raw), over: raw))
        #expect(made.evidence.renumbersStandalone == isPatched)
        #expect(back.evidence == made.evidence)
    }

    /// Names inside names: the words are others than the BTF's, and come along.
    @Test func renamedWords() throws {
        var asm = BTFAssembler()
        let int = asm.int("short int", size: 2)
        _ = asm.typedef("words_show", int)
        var bytes = asm.bytes()
        // The INT's name now begins inside its string.
        let name = ByteView(bytes).words(at: 24, count: 1, bigEndian: false)![0] + 6
        bytes[24] = UInt8(name)
        let raw = ByteView(bytes)
        let made = BaseIndex(try BTF.parse(raw))
        let back = try #require(BaseIndex(frozen: made.frozen(over: raw), over: raw))
        #expect(answers(back) == answers(made))
        #expect(answers(made).contains("int: \(name)"))
    }

    /// Cut anywhere, or with any number of the head changed: refused, or an index whose arrays fit.
    @Test func damage() throws {
        let raw = ByteView(BaseIndexTests.base().bytes())
        let image = BaseIndex(try BTF.parse(raw)).frozen(over: raw)
        let bytes = image.array
        for end in stride(from: 0, to: bytes.count, by: bytes.count > 4096 ? 61 : 1) {
            #expect(BaseIndex(frozen: ByteView(Array(bytes[..<end])), over: raw) == nil)
        }
        #expect(BaseIndex(frozen: ByteView(bytes + [0]), over: raw) == nil)
        for place in 0..<64 where place / 8 != 1 {
            for value: UInt8 in [0, 1, 0x7f, 0xff] where value != bytes[place] {
                var changed = bytes
                changed[place] = value
                #expect(BaseIndex(frozen: ByteView(changed), over: raw) == nil, "\(place)")
            }
        }
    }

    /// Hashes that a file was made with are part of what it is known by.
    @Test func stampIsOfThisProgram() throws {
        let raw = ByteView(BaseIndexTests.base().bytes())
        let image = BaseIndex(try BTF.parse(raw)).frozen(over: raw)
        #expect(Frozen<UInt64>(image, at: 0, count: 1)?[0] == BaseIndex.stamp)
        #expect(BaseIndex.stamp != BaseIndex.stamp.byteSwapped)
    }
}
