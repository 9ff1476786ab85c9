// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Testing

@Suite struct ViewTests {
    @Test func slices() {
        let view = ByteView([1, 2, 3, 4, 5])
        let part = view.slice(1, 3)
        #expect(part?.array == [2, 3, 4])
        #expect(part?[2] == 4)
        #expect(part?.slice(1, 2)?.array == [3, 4])
        #expect(part?.slice(1, 3) == nil)
        #expect(view.slice(5, 0)?.isEmpty == true)
        #expect(ByteView.empty.array == [])
        #expect(ByteView.empty.cursor().atEnd)
    }

    @Test func wordsInBothOrders() {
        let view = ByteView([0, 1, 2, 3, 4, 5, 6, 7, 8])
        #expect(view.words(at: 1, count: 2, bigEndian: false) == [0x0403_0201, 0x0807_0605])
        #expect(view.words(at: 1, count: 2, bigEndian: true) == [0x0102_0304, 0x0506_0708])
        #expect(view.words(at: 2, count: 2, bigEndian: false) == nil)
        #expect(view.words(at: 9, count: 0, bigEndian: false) == [])
        for bigEndian in [false, true] {
            var bytes: [UInt8] = []
            append([1, 0xffff_fffe], to: &bytes, bigEndian: bigEndian)
            #expect(
                ByteView(bytes).words(at: 0, count: 2, bigEndian: bigEndian) == [1, 0xffff_fffe])
            #expect(bytes[bigEndian ? 3 : 0] == 1)
        }
    }

    /// Many words are copied in pieces, each of which is then handed on once.
    @Test func wordsInPieces() {
        let words = (0..<(5 << 17)).map { UInt32($0) }
        var bytes: [UInt8] = [0xff]
        append(words, to: &bytes, bigEndian: false)
        var pieces: [Int] = []
        let read = ByteView(bytes).words(at: 1, count: words.count, bigEndian: false) {
            pieces.append($0.count)
        }
        #expect(read == words)
        #expect(pieces == [1 << 20, 1 << 20, 1 << 19])
    }

    @Test func comparing() {
        let view = ByteView(Array("hello".utf8))
        #expect(view.hasBytes("hell"))
        #expect(view.hasBytes("lo", at: 3))
        #expect(!view.hasBytes("lo!", at: 3))
        #expect(!view.hasBytes("help"))
        #expect(view.hasBytes("", at: 5))
        #expect(view.withSpan { $0.byteCount } == 5)
    }

    /// Each byte at each place of names of up to 17 bytes.
    @Test func words() {
        func isPlain(_ byte: UInt8) -> Bool {
            let character = Character(UnicodeScalar(byte))
            return byte < 0x80 && (character.isLetter || character.isNumber || character == "_")
        }
        #expect(!ByteView([]).isPlainWord)
        for count in 1...17 {
            for place in 0..<count {
                for byte in UInt8.min...UInt8.max {
                    var bytes = Array("aZ_z9A0pqmnop_123".utf8.prefix(count))
                    bytes[place] = byte
                    let isDigit = place == 0 && (0x30...0x39).contains(byte)
                    #expect(ByteView(bytes).isPlainWord == (isPlain(byte) && !isDigit))
                }
            }
        }
    }

    /// The storage lives as long as the last view, and is given back once.
    @Test func released() {
        nonisolated(unsafe) var count = 0
        do {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4, alignment: 1)
            buffer.copyBytes(from: [1, 2, 3, 4])
            var view: ByteView? = ByteView(
                ByteStorage(base: UnsafeRawPointer(buffer.baseAddress), count: 4) {
                    count += 1
                    buffer.deallocate()
                })
            let part = view?.slice(2, 2)
            view = nil
            #expect(count == 0)
            #expect(part?.array == [3, 4])
        }
        #expect(count == 1)
    }
}

@Suite struct WriterTests {
    @Test func integers() {
        var little = ByteWriter()
        little.put(UInt8(1))
        little.put(UInt16(0x0203))
        little.put(UInt32(0x0405_0607))
        little.put(Int64(-2))
        #expect(
            little.bytes == [1, 3, 2, 7, 6, 5, 4, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
        little.align(to: 8)
        #expect(little.bytes.count == 16)
        little.align(to: 8)
        #expect(little.bytes.count == 16)
        var big = ByteWriter(bigEndian: true)
        big.put(UInt16(0x0102))
        big.put(UInt64(1))
        big.put([9, 8])
        #expect(big.bytes == [1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 9, 8])
    }
}

@Suite struct HashTests {
    /// The hash is part of outputs' order: it must be the same everywhere and for ever.
    @Test func doesNotChange() {
        #expect(withBytes([]) { hashBytes($0) } == withBytes([]) { hashBytes($0) })
        let values = (0..<64).map { length in
            withBytes([UInt8](repeating: 7, count: length)) { hashBytes($0) }
        }
        #expect(Set(values).count == 64)
        // Trailing zeros count.
        #expect(withBytes([1]) { hashBytes($0) } != withBytes([1, 0]) { hashBytes($0) })
        // Each bit of eight bytes matters.
        let base = withBytes([UInt8](repeating: 0, count: 8)) { hashBytes($0) }
        for bit in 0..<64 {
            var bytes = [UInt8](repeating: 0, count: 8)
            bytes[bit / 8] = 1 << UInt8(bit % 8)
            #expect(withBytes(bytes) { hashBytes($0) } != base)
        }
    }
}

@Suite struct ArenaTests {
    private func arena(_ values: [Int]) -> Arena<Int> {
        var arena = Arena<Int>()
        for value in values { arena.append(value) }
        return arena
    }

    @Test(arguments: [
        (1, [1, 2, 3, 4], 0, 3, true), (0, [1, 2, 3], 0, 3, false), (1, [1, 2, 4], 0, 3, false),
        (2, [5, 2, 3], 1, 2, true), (4, [1], 1, 0, true),
    ]) func sameElements(_ start: Int, _ other: [Int], _ place: Int, _ count: Int, _ same: Bool) {
        let result = arena([9, 1, 2, 3]).hasSame(start, as: arena(other), place, count: count)
        #expect(result == same)
    }

    /// From the last triple to the first; the first difference ends it.
    @Test(arguments: [
        ([1, 20, 2, 3, 21, 4, 5, 22, 6], true, 3), ([1, 20, 2, 0, 21, 4, 5, 22, 6], false, 1),
        ([1, 20, 2, 3, 21, 0, 5, 22, 6], false, 1), ([1, 20, 2, 3, -1, 4, 5, 22, 6], false, 2),
    ]) func triplesFromTheLast(_ other: [Int], _ agree: Bool, _ count: Int) {
        let one = arena([0, 1, 10, 2, 3, 11, 4, 5, 12, 6])
        let two = arena(other)
        var seen: [[Int]] = []
        let result = one.triples(before: 10, 3, agreeWith: two, before: 9) {
            seen.append([$0, $1])
            return $1 >= 0
        }
        #expect(result == agree)
        let all = [[12, 22], [11, other[4]], [10, 20]]
        #expect(seen == Array(all.prefix(count)))
    }

    @Test func reserving() {
        var arena = arena(Array(0..<16))
        var old: [Int]?
        if let block = arena.reserve(1) { old = block.array }
        #expect(old == Array(0..<16))
        old = nil
        if let block = arena.reserve(16) { old = block.array }
        #expect(old == nil)
        arena.append(16)
        let values = arena.array
        #expect(values == Array(0..<17))
    }
}
