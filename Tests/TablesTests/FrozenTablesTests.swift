// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Testing

@testable import Tables

@Suite struct FrozenChainsTests {
    private func all(_ table: FrozenChains, _ hash: UInt64) -> [Int] {
        var found: [Int] = []
        var entry = table.first(hash: hash)
        while let current = entry {
            found.append(current)
            entry = table.after(current, hash: hash)
        }
        return found
    }

    /// Entries of one hash come in rising order, and none is missed.
    @Test func chains() {
        let count = 5_000
        // Many share a bucket, some share the whole hash, some have none.
        func hash(_ entry: Int) -> UInt64? {
            entry % 11 == 0 ? nil : UInt64(entry % 700) << 40 | UInt64(entry % 3)
        }
        let table = FrozenChains(entries: count, hash: hash)
        let entries = Dictionary(grouping: 0..<count, by: hash)
        for wanted in 0..<2_100 {
            guard let wanted = hash(wanted) else { continue }
            #expect(all(table, wanted) == entries[wanted])
        }
        #expect(all(table, 699 << 40 | 5).isEmpty)
        #expect(FrozenChains.empty.first(hash: 0) == nil)
    }

    /// Links from a file that lead back, to themselves or out of the table end the visit.
    @Test func damagedLinks() throws {
        let good = FrozenChains(entries: 8) { _ in 0 }
        #expect(all(good, 0) == Array(0..<8))
        var heads = good.heads.indices.map { good.heads[$0] }
        var links = good.links.indices.map { good.links[$0] }
        for target: UInt64 in [0, 3, 4, 8, 0x7fff_ffff] {
            links[4] = target
            let table = try #require(FrozenChains(heads: Frozen(heads), links: Frozen(links)))
            #expect(all(table, 0) == Array(0...4))
            #expect(all(table, 5 << 32).isEmpty)
        }
        heads[0] = 8
        #expect(
            try #require(FrozenChains(heads: Frozen(heads), links: Frozen(links)))
                .first(hash: 0) == nil)
        for count in [0, 3, 255] {
            #expect(
                FrozenChains(heads: Frozen(Array(heads.prefix(count))), links: good.links) == nil)
        }
    }
}

@Suite struct NameTableTests {
    private func find(_ table: NameTable, _ name: String) -> Int? {
        withBytes(Array(name.utf8)) { table.find($0, hash: hashBytes($0)) }
    }

    /// Of an existing section every string is found at the first of its places.
    @Test func existingSection() {
        let builder = NameTableBuilder(Frozen(Array("\0ab\0c\0ab\0open".utf8)))
        #expect(builder.hasDuplicates)
        let table = builder.table
        #expect(find(table, "") == 0)
        #expect(find(table, "ab") == 1)
        #expect(find(table, "c") == 4)
        for other in ["b", "abc", "a", "open", "ab\0c"] { #expect(find(table, other) == nil) }
        #expect(table.name(at: 1).elementsEqual("ab".utf8))
        #expect(table.name(at: 2).elementsEqual("b".utf8))
        #expect(table.name(at: 0).isEmpty)
        for outside in [-1, 13, 14, .max] { #expect(table.name(at: outside).isEmpty) }
        #expect(!NameTableBuilder(Frozen(Array("\0ab\0c\0".utf8))).hasDuplicates)
        #expect(find(.empty, "") == nil)
    }

    /// A name inside another one is found once it was asked for.
    @Test func namesInsideNames() {
        var builder = NameTableBuilder(Frozen(Array("\0words_show\0show\0words_store\0".utf8)))
        #expect(builder.canonicalOffset(7) == 12, "there is a whole one")
        #expect(builder.canonicalOffset(23) == 23)
        #expect(builder.canonicalOffset(2) == 2)
        #expect(builder.canonicalOffset(99) == 99)
        let table = builder.table
        #expect(find(table, "show") == 12)
        #expect(find(table, "store") == 23)
        #expect(find(table, "ords_show") == 2)
        #expect(find(table, "rds_show") == nil)
    }

    /// A million names could be suffixes of one string: only strings short enough for a name are
    /// indexed.
    @Test func longStringsAreNoNames() {
        let text = String(repeating: "x", count: 10_000)
        var builder = NameTableBuilder(Frozen(Array("\0\(text)\0".utf8)))
        for length in [1, 4096, 4097, 9999] {
            #expect(builder.canonicalOffset(10_001 - length) == 10_001 - length)
            let found = find(builder.table, String(text.prefix(length)))
            #expect(found == (length <= 4096 ? 10_001 - length : nil))
        }
    }

    /// Short names in number: the table grows.
    @Test func growth() {
        var section: [UInt8] = [0]
        var offsets: [Int] = []
        for number in 0..<30_000 {
            offsets.append(section.count)
            section += Array(String(number, radix: 36).utf8) + [0]
        }
        let table = NameTableBuilder(Frozen(section)).table
        for number in 0..<30_000 {
            #expect(find(table, String(number, radix: 36)) == offsets[number])
        }
        #expect(find(table, String(30_000, radix: 36)) == nil)
    }

    /// Slots from a file: full ones end a search, wrong ones find nothing that is not equal.
    @Test func damagedSlots() throws {
        let strings = Frozen(Array("\0ab\0c\0".utf8))
        let name = Array("c".utf8)
        let hash = withBytes(name) { hashBytes($0) }
        for entry: UInt32 in [1, 7, 8, .max, UInt32(truncatingIfNeeded: hash >> 32) & ~7 | 2] {
            let slots = Frozen([UInt32](repeating: entry, count: 256))
            let table = try #require(NameTable(strings: strings, slots: slots))
            #expect(find(table, "c") == nil)
            #expect(find(table, "zz") == nil)
        }
        for count in [0, 3, 255] {
            let slots = Frozen([UInt32](repeating: 0, count: count))
            #expect(NameTable(strings: strings, slots: slots) == nil)
        }
    }
}
