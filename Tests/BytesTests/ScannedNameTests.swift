// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Testing

/// One pass finds what the other ways find one by one.
@Suite struct ScannedNameTests {
    @Test(arguments: 0..<40) func asTheOthers(length: Int) throws {
        let texts: [(UInt8) -> [UInt8]] = [
            { last in (0..<length).map { $0 == length - 1 ? last : UInt8(97 + $0 % 26) } },
            { first in (0..<length).map { $0 == 0 ? first : UInt8(65 + $0 % 26) } },
        ]
        for text in texts {
            for odd: UInt8 in [0x61, 0x30, 0x39, 0x3a, 0x5f, 0x20, 0x2e, 0x7f, 0x80, 0xff, 0x01] {
                let name = text(odd)
                let view = ByteView([9, 9, 9] + name + [0] + [UInt8](repeating: 0x31, count: 8))
                let scan = try #require(view.cursor().scanName(at: 3))
                let alone = ByteView(name)
                #expect(scan.count == length)
                #expect(scan.hash == withBytes(name) { hashBytes($0) })
                #expect(scan.isPlain == alone.isPlainWord, "\(name)")
                #expect(scan.shortKey == alone.shortKey)
                #expect(view.withSpan(3, length) { hashBytes($0) } == scan.hash)
            }
        }
    }

    /// Left to those who read byte by byte.
    @Test func noPlace() {
        let view = ByteView(Array("name".utf8) + [0] + Array("more".utf8) + [0])
        withExtendedLifetime(view) {
            let cursor = view.cursor()
            #expect(cursor.scanName(at: 0)?.count == 4)
            #expect(cursor.scanName(at: 3) == nil, "fewer than eight bytes are left")
            for offset in [-1, view.count, view.count + 1, .max] {
                #expect(cursor.scanName(at: offset) == nil)
            }
        }
        let endless = ByteView([UInt8](repeating: 0x61, count: 32))
        withExtendedLifetime(endless) { #expect(endless.cursor().scanName(at: 0) == nil) }
    }

    /// Whatever lies behind their ends, and for all places of the byte that differs.
    @Test(arguments: 0..<40) func sameStrings(length: Int) {
        let name = (0..<length).map { UInt8(97 + $0 % 26) }
        for tail: UInt8 in [0, 0x31] {
            var bytes = [9] + name + [0, 7] + name + [0] + [UInt8](repeating: tail, count: 7)
            let places = (1, 3 + length)
            func areSame(_ limit: Int = 64) -> Bool {
                let view = ByteView(bytes)
                return withExtendedLifetime(view) {
                    let cursor = view.cursor()
                    let there = cursor.haveSameString(places.0, places.1, atMost: limit)
                    #expect(there == cursor.haveSameString(places.1, places.0, atMost: limit))
                    return there
                }
            }
            #expect(areSame())
            #expect(areSame(length) == (length % 8 != 0), "the NUL is in the next word")
            for at in 0..<length {
                for other: UInt8 in [0, 1, 0x80, 0xe1] {
                    bytes[places.0 + at] = other
                    #expect(!areSame(), "\(other) at \(at)")
                }
                bytes[places.0 + at] = name[at]
            }
            bytes[places.1 + length] = 0x61
            #expect(!areSame(), "the other is longer")
        }
    }

    @Test func sameStringsOutside() {
        let view = ByteView(Array("name".utf8) + [0] + Array("name".utf8) + [0, 0, 0, 0])
        withExtendedLifetime(view) {
            let cursor = view.cursor()
            #expect(cursor.haveSameString(0, 5, atMost: 64))
            for place in [6, view.count, view.count + 1, -1, Int(UInt32.max)] {
                #expect(!cursor.haveSameString(0, place, atMost: 64))
                #expect(!cursor.haveSameString(place, 0, atMost: 64))
            }
        }
    }

    @Test func lengths() {
        for length in 0..<20 {
            let bytes = [UInt8](repeating: 0x61, count: length)
            #expect(withBytes(bytes + [0, 1]) { $0.stringLength(at: 0) } == length)
            #expect(withBytes(bytes) { $0.stringLength(at: 0) } == length, "without an end")
            #expect(withBytes(bytes) { $0.stringLength(at: length) } == 0)
        }
    }
}
