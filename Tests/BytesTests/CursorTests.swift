// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Testing

/// What the smallest LEB128 writer gives: a second opinion for the reader.
func uleb(_ value: UInt64) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f) | 0x80] + uleb(value >> 7)
}

func sleb(_ value: Int64) -> [UInt8] {
    let byte = UInt8(truncatingIfNeeded: value) & 0x7f
    let isLast = (-64...63).contains(value)
    return isLast ? [byte] : [byte | 0x80] + sleb(value >> 7)
}

@Suite struct CursorTests {
    static let unsigned: [UInt64] =
        [0, 1, 63, 64, 127, 128, 129, 255, 256, 16_383, 16_384, 1 << 31, 1 << 32, 1 << 56, 1 << 62]
        + [1 << 63, .max - 1, .max]
    static let signed: [Int64] = unsigned.flatMap { value in
        let bits = Int64(truncatingIfNeeded: value)
        return [bits, 0 &- bits, ~bits]
    }

    @Test(arguments: unsigned) func readsULEB(_ value: UInt64) throws {
        let bytes = uleb(value)
        let view = ByteView(bytes + [0xff])
        var cursor = view.cursor()
        #expect(try cursor.readULEB() == value)
        #expect(cursor.offset == bytes.count)
        var skipper = view.cursor()
        try skipper.skipLEB()
        #expect(skipper.offset == bytes.count)
        // Padding with empty groups, however long, does not change the value.
        for extra in [1, 2, 9, 100] {
            let padded =
                bytes.dropLast() + [bytes.last! | 0x80]
                + [UInt8](repeating: 0x80, count: extra - 1) + [0]
            let view = ByteView(Array(padded))
            var cursor = view.cursor()
            #expect(try cursor.readULEB() == value)
            #expect(cursor.atEnd)
        }
        for length in 0..<bytes.count {
            let view = ByteView(Array(bytes[..<length]))
            for skips in [false, true] {
                var cursor = view.cursor()
                #expect(throws: ByteError.truncated(offset: 0)) {
                    if skips { try cursor.skipLEB() } else { _ = try cursor.readULEB() }
                }
                #expect(cursor.offset == 0)
            }
        }
    }

    @Test(arguments: signed) func readsSLEB(_ value: Int64) throws {
        let bytes = sleb(value)
        let view = ByteView(bytes + [0x00])
        var cursor = view.cursor()
        #expect(try cursor.readSLEB() == value)
        #expect(cursor.offset == bytes.count)
        // Padding repeats the sign.
        let sign: UInt8 = value < 0 ? 0x7f : 0
        for extra in [1, 2, 9, 100] {
            let padded =
                bytes.dropLast() + [bytes.last! | 0x80]
                + [UInt8](repeating: sign | 0x80, count: extra - 1) + [sign]
            let view = ByteView(Array(padded))
            var cursor = view.cursor()
            #expect(try cursor.readSLEB() == value)
            #expect(cursor.atEnd)
        }
        for length in 0..<bytes.count {
            let view = ByteView(Array(bytes[..<length]))
            var cursor = view.cursor()
            #expect(throws: ByteError.truncated(offset: 0)) { try cursor.readSLEB() }
            #expect(cursor.offset == 0)
        }
    }

    @Test(arguments: [
        [UInt8](repeating: 0xff, count: 9) + [0x02], [UInt8](repeating: 0x80, count: 9) + [0x7f],
        [UInt8](repeating: 0x80, count: 10) + [0x01], [UInt8](repeating: 0x80, count: 50) + [0x40],
    ]) func ulebTooLarge(_ bytes: [UInt8]) {
        let view = ByteView([7] + bytes)
        var cursor = view.cursor()
        cursor.offset = 1
        #expect(throws: ByteError.overlong(offset: 1)) { try cursor.readULEB() }
        #expect(cursor.offset == 1)
    }

    @Test func fixedSizes() throws {
        let view = ByteView([1, 2, 3, 4, 5, 6, 7, 8])
        var little = view.cursor()
        #expect(try little.readU8() == 0x01)
        #expect(try little.readU16() == 0x0302)
        #expect(try little.readU32() == 0x0706_0504)
        #expect(throws: ByteError.truncated(offset: 7)) { try little.readU16() }
        #expect(try little.readU8() == 8)
        #expect(little.atEnd && little.remaining == 0)
        var big = view.cursor(bigEndian: true)
        #expect(try big.readU24() == 0x010203)
        #expect(try big.readU32() == 0x0405_0607)
        try big.seek(to: 0)
        #expect(try big.readU64() == 0x0102_0304_0506_0708)
        try big.seek(to: 0)
        #expect(try big.readU16() == 0x0102)
        try little.seek(to: 0)
        #expect(try little.readU64() == 0x0807_0605_0403_0201)
        try little.seek(to: 5)
        #expect(try little.readU24() == 0x080706)
    }

    @Test(arguments: [1, 2, 3, 4, 8]) func truncatedLeavesThePosition(_ size: Int) {
        for length in 0..<size {
            let view = ByteView([UInt8](repeating: 1, count: length))
            var cursor = view.cursor()
            #expect(throws: ByteError.truncated(offset: 0)) {
                switch size {
                case 1: _ = try cursor.readU8()
                case 2: _ = try cursor.readU16()
                case 3: _ = try cursor.readU24()
                case 4: _ = try cursor.readU32()
                default: _ = try cursor.readU64()
                }
            }
            #expect(cursor.offset == 0)
        }
    }

    @Test func offsetsAndAddresses() throws {
        let view = ByteView([1, 2, 3, 4, 5, 6, 7, 8])
        for (size, expected) in [
            (UInt8(1), UInt64(0x01)), (2, 0x0201), (4, 0x0403_0201), (8, 0x0807_0605_0403_0201),
        ] {
            var cursor = view.cursor()
            #expect(try cursor.readAddress(size: size) == expected)
            #expect(cursor.offset == Int(size))
        }
        for size in [UInt8(0), 3, 5, 16, 255] {
            var cursor = view.cursor()
            #expect(throws: ByteError.truncated(offset: 0)) { try cursor.readAddress(size: size) }
        }
        var cursor = view.cursor()
        #expect(try cursor.readOffset(is64Bit: false) == 0x0403_0201)
        #expect(throws: ByteError.truncated(offset: 4)) { try cursor.readOffset(is64Bit: true) }
    }

    @Test(arguments: [-1, 9, Int.max, Int.min]) func outside(_ place: Int) {
        let view = ByteView([1, 2, 3, 4, 5, 6, 7, 8])
        var cursor = view.cursor()
        #expect(throws: ByteError.truncated(offset: place)) { try cursor.seek(to: place) }
        #expect(throws: ByteError.truncated(offset: 0)) { try cursor.skip(place) }
        #expect(cursor.sub(place, 0) == nil)
        #expect(cursor.sub(0, place) == nil)
        #expect(cursor.sub(4, place) == nil)
        #expect(cursor.bounded(to: place) == nil)
        #expect(view.slice(place, 0) == nil)
        #expect(view.slice(0, place) == nil)
        #expect(view.bytes(at: place, count: 1) == nil)
        #expect(view.words(at: place, count: 1, bigEndian: false) == nil)
        #expect(view.words(at: 0, count: place, bigEndian: false) == nil)
        #expect(view.cString(at: place) == nil)
        #expect(!view.hasBytes("\u{1}", at: place))
        #expect(cursor.offset == 0)
    }

    @Test func parts() throws {
        let view = ByteView([1, 2, 3, 4, 5, 6, 7, 8])
        var cursor = view.cursor()
        try cursor.skip(2)
        var part = try #require(cursor.sub(4, 2))
        #expect(part.offset == 0 && part.count == 2)
        #expect(try part.readU16() == 0x0605)
        #expect(throws: ByteError.truncated(offset: 2)) { try part.readU8() }
        var bounded = try #require(cursor.bounded(to: 3))
        #expect(bounded.offset == 2)
        #expect(try bounded.readU8() == 3)
        #expect(bounded.atEnd)
        #expect(cursor.bounded(to: 1) == nil)
        #expect(cursor.sub(8, 0)?.count == 0)
        #expect(cursor.sub(8, 1) == nil)
        #expect(cursor.byte(at: 7) == 8)
    }

    @Test func strings() throws {
        let view = ByteView(Array("ab\0\0c".utf8))
        var cursor = view.cursor()
        #expect(try cursor.skipCString() == 2)
        #expect(try cursor.skipCString() == 0)
        #expect(throws: ByteError.unterminated(offset: 4)) { try cursor.skipCString() }
        #expect(cursor.offset == 4)
        #expect(view.cString(at: 0) == "ab")
        #expect(view.cString(at: 1) == "b")
        #expect(view.cString(at: 2) == "")
        #expect(view.cString(at: 4) == nil)
        #expect(view.cString(at: 5) == nil)
    }

    @Test func errorsSayWhere() {
        #expect(ByteError.truncated(offset: 3).offset == 3)
        #expect(ByteError.overlong(offset: 4).offset == 4)
        #expect(ByteError.unterminated(offset: 5).offset == 5)
    }
}

extension CursorTests {
    /// Strings of every length at every alignment, of bytes that word-wise searches get wrong.
    @Test(arguments: [UInt8(0x01), 0x7f, 0x80, 0x81, 0xff]) func stringsAnywhere(_ filler: UInt8)
        throws
    {
        for start in 0..<9 {
            for length in 0..<34 {
                for tail in [
                    [], [UInt8](repeating: filler, count: 9), [1, 0, 0, 0x80, 0, 0, 0, 0],
                ] {
                    let text = [UInt8](repeating: filler, count: length)
                    let view = ByteView([UInt8](repeating: 0, count: start) + text + [0] + tail)
                    var cursor = view.cursor()
                    try cursor.seek(to: start)
                    #expect(try cursor.skipCString() == length)
                    #expect(cursor.offset == start + length + 1)
                }
                let view = ByteView([UInt8](repeating: filler, count: length))
                var cursor = view.cursor()
                #expect(throws: ByteError.unterminated(offset: 0)) { try cursor.skipCString() }
            }
        }
    }
}
