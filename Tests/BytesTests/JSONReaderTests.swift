// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import TestSupport
import Testing

/// JSON that others wrote, or nobody.
@Suite struct JSONReaderTests {
    private func read(_ text: String) throws -> JSONTree {
        try JSONTree(ByteView(Array(text.utf8)))
    }

    @Test func values() throws {
        let tree = try read(
            #" {"a": [1, -2.5e3, true, false, null], "b":{"c":"x\n\"\\\/\u00e9\ud83d\ude00"}} "#)
        #expect(
            tree["a"]
                == .array([.number("1"), .number("-2.5e3"), .bool(true), .bool(false), .null]))
        #expect(tree["b"]?["c"]?.string == "x\n\"\\/\u{e9}\u{1f600}")
        #expect(tree["d"] == nil && tree.string == nil && tree["a"]?.array?.count == 5)
        #expect(try read("[]") == .array([]) && read("{}") == .object([:]))
    }

    /// What the writer makes of names comes back as their bytes.
    @Test func namesComeBack() throws {
        for name in [[0xff, 0x61], [0xf4, 0x8f, 0xba, 0xbf], Array("é\u{1}\"".utf8)] as [[UInt8]] {
            var json = JSONWriter()
            json.string(bytes: name)
            #expect(try JSONTree(ByteView(json.bytes)).string?.systemBytes == name)
        }
    }

    @Test(
        arguments: [
            ("", 0), ("{", 1), ("[1", 2), ("[1,]", 3), ("{\"a\"}", 4), ("{\"a\":1,}", 7),
            ("nul", 3), ("\"a", 2), ("\"\\x\"", 3), ("\"\\u12g4\"", 5), ("\"\\ud800\"", 7),
            ("\"\\ud800\\u0041\"", 13), ("\"\\udc00\"", 7), ("1 2", 2), ("\"\u{1}\"", 2),
            ("{1:2}", 1), (String(repeating: "[", count: 100_000), 32),
        ])
    func notJSON(text: String, offset: Int) throws {
        let error = #expect(throws: JSONError.self) { try read(text) }
        #expect(error?.offset == offset, "\(error?.description ?? "")")
    }

    @Test func damage() throws {
        var random = SeededRandom(seed: 3)
        let whole = Array(#"{"file":"a","entries":[{"name":"\u00e9","unit":"x"},1.5,null]}"#.utf8)
        for _ in 0..<5000 {
            var bytes = whole
            for _ in 0..<3 {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            _ = try? JSONTree(ByteView(bytes))
        }
    }
}
