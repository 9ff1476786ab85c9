// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import TestSupport
import Testing

@Suite struct TextBufferTests {
    private func text(_ body: (inout TextBuffer) -> Void) -> String {
        var text = TextBuffer(capacity: 0)
        body(&text)
        return String(decoding: text.bytes(), as: UTF8.self)
    }

    @Test func numbers() {
        var power: UInt64 = 1
        var numbers: [UInt64] = [0, 10, 105, 2005, 4_294_967_295, 4_294_967_296, .max]
        while power < UInt64.max / 10 {
            numbers += [power - 1, power, power + 1, power * 9]
            power *= 10
        }
        for number in numbers {
            #expect(text { $0.put(number) } == "\(number)")
            #expect(text { $0.put(hex: number) } == String(number, radix: 16))
            let signed = Int64(bitPattern: number)
            #expect(text { $0.put(signed) } == "\(signed)")
            let short = UInt32(truncatingIfNeeded: number)
            #expect(text { $0.put(short) } == "\(short)")
        }
        #expect(text { $0.put(Int64.min) } == "\(Int64.min)")
    }

    /// Each append makes the buffer grow at some time.
    @Test func growing() {
        let words = text { text in
            for number: UInt32 in 0..<5000 {
                text.put("<")
                text.put(number)
                text.put(text: ">\u{e9}")
                text.put([33, 34, 35][1...])
                text.put(byte: 10)
            }
        }
        #expect(words == (0..<5000).map { "<\($0)>\u{e9}\"#\n" }.joined())
    }

    /// Strings of all lengths, at all distances from the end of the section, with what JSON escapes
    /// at all places.
    @Test func strings() {
        for length in 0..<20 {
            for gap in 0..<10 {
                for special: UInt8? in [nil, 1, 0x1f, 0x20, 0x22, 0x5c, 0x7f, 0x80, 0xc3, 0xff] {
                    let place = (length * 7 + gap) % max(length, 1)
                    var name = (0..<length).map { UInt8(97 + $0) }
                    if let special, length > 0 { name[place] = special }
                    let section = [7] + name + [UInt8](repeating: 0, count: gap)
                    for limit in [4096, length, max(0, length - 3)] {
                        let shown = Array(name.prefix(limit))
                        var plain = TextBuffer()
                        plain.put(stringIn: section, at: 1, atMost: limit)
                        #expect(plain.bytes() == shown)
                        var json = TextBuffer()
                        json.put(jsonStringIn: section, at: 1, atMost: limit)
                        var expected: [UInt8] = []
                        expected.put(json: shown)
                        #expect(json.bytes() == expected)
                    }
                }
            }
        }
    }

    @Test func stringsOutside() {
        for offset in [3, 4, 1 << 40, -1] {
            #expect(text { $0.put(stringIn: [97, 98, 99], at: offset, atMost: 9) } == "")
            #expect(text { $0.put(jsonStringIn: [97, 98, 99], at: offset, atMost: 9) } == "\"\"")
            #expect(![97, 98, 99].hasString("a", at: offset))
        }
    }

    @Test func comparing() {
        var random = SeededRandom(seed: 7)
        let section: [UInt8] = (0..<600).map { _ in
            [0, 97, 97, 97, 97, 98, 98, 98, 98].randomElement(using: &random)!
        }
        for a in section.indices {
            let end = section[a...].firstIndex(of: 0) ?? section.count
            for b in [a, .random(in: 0..<600, using: &random), a / 2, 599, 600] {
                for limit in [4096, 3, 8, 0] {
                    let one = section[a..<end].prefix(limit)
                    let two = section.dropFirst(b).prefix { $0 != 0 }.prefix(limit)
                    #expect(
                        section.hasSameString(at: a, as: section, at: b, atMost: limit)
                            == one.elementsEqual(two))
                    guard one.elementsEqual(two) else { continue }
                    #expect(
                        section.hashOfString(at: a, atMost: limit)
                            == section.hashOfString(at: b, atMost: limit))
                }
            }
        }
        #expect(Array("\0ab\0".utf8).hasString("ab", at: 1))
        #expect(!Array("\0abc\0".utf8).hasString("ab", at: 1))
        #expect(!Array("\0ab".utf8).hasString("ab", at: 1))
    }
}
