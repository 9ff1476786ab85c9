// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Foundation
import TestSupport
import Testing

@Suite struct SystemTextTests {
    /// Whatever the bytes are, the text leads back to them, and no two names share one.
    @Test func everyNameComesBack() {
        var names: [[UInt8]] = (1...255).map { [UInt8($0)] }
        names += (0x80...0xff).map { [0x61, UInt8($0), 0x2e, 0x6b, 0x6f] }
        names += [
            [], Array("plain.ko".utf8), Array("\u{e9}\u{4e2d}\u{1f600}".utf8), [0xe2, 0x82],
            [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc0, 0x80],
            // Characters that stand for bytes are none of the names' own.
            Array("\u{10feff}".utf8), Array("\u{10fe80}x".utf8), [0xf4, 0x8f, 0xbb], [0xff, 0xf4],
        ]
        var texts: Set<[UInt8]> = []
        for name in names {
            let text = String(systemBytes: name)
            #expect(text.systemBytes == name, "\(name)")
            #expect(texts.insert(Array(text.utf8)).inserted, "\(name)")
        }
        #expect(String(systemBytes: Array("caf\u{e9}".utf8)) == "caf\u{e9}")
    }

    @Test(arguments: [
        ("plain text, caf\u{e9} \u{4e2d}", "plain text, caf\u{e9} \u{4e2d}"),
        ("two\nlines", #"two\x0alines"#), ("a\tb\rc", #"a\x09b\x0dc"#),
        ("dos\r\n", #"dos\x0d\x0a"#),
        ("\u{1b}[31mred\u{7f}", #"\x1b[31mred\x7f"#), ("\u{85}", #"\xc2\x85"#),
        ("\u{2028}", #"\xe2\x80\xa8"#), ("\u{202e}ok.", #"\xe2\x80\xaeok."#), (#"C:\n"#, #"C:\n"#),
    ]) func shown(text: String, line: String) {
        #expect(text.shown == line)
        #expect(line.shown == line)
    }

    @Test func bytesThatAreNoTextAreShown() {
        #expect(String(systemBytes: [0x61, 0xff, 0x0a, 0xc3]).shown == #"a\xff\x0a\xc3"#)
        #expect(String(systemBytes: Array("\u{10fe80}".utf8)).shown == #"\xf4\x8f\xba\x80"#)
    }

    /// JSON has the real name, byte for byte.
    @Test func json() {
        #expect(jsonString("a\n\u{e9}\"\\") == #""a\n\#u{e9}\"\\""#)
        #expect(jsonString(String(systemBytes: [0x61, 0xff, 0x1b])) == #""a\udbff\udeff\u001b""#)
        #expect(
            jsonString(String(systemBytes: Array("\u{10fe80}".utf8)))
                != jsonString(String(systemBytes: [0x80])))
        var out: [UInt8] = []
        out.put(json: [0xc3, 0xa9, 0x80, 0x22])
        #expect(out == Array("\"\u{e9}\\udbff\\ude80\\\"\"".utf8))
    }

    /// Every parser reads every name, and what it reads leads back to the bytes.
    @Test func jsonOfAnyBytes() throws {
        var names: [[UInt8]] = (1...255).map { [0x61, UInt8($0)] }
        names += [
            [], Array("\u{10fe80}\u{10feff}".utf8), [0xed, 0xa0, 0x80], [0xf4, 0x8f, 0xbb, 0xff],
            [0xe2, 0x82], [0xc0, 0x80], Array("\u{1f600}\\\u{7f}".utf8),
        ]
        for name in names {
            let text = jsonString(String(systemBytes: name))
            var bytes: [UInt8] = []
            bytes.put(json: name)
            #expect(Array(text.utf8) == bytes)
            let read = try JSONSerialization.jsonObject(
                with: Data("[\(text)]".utf8))
            let first = try #require((read as? [String])?.first)
            #expect(first.systemBytes == name, "\(text)")
        }
    }
}
