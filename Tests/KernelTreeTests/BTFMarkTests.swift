// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Testing

@testable import KernelTree

/// The field `btf=` of modules' modinfo.
@Suite struct BTFMarkTests {
    private func read(_ modinfo: String) throws -> BTFMark? {
        try BTFMark(in: ByteView(Array(modinfo.utf8)))
    }

    @Test func fields() throws {
        let digest = try #require(BaseDigest("00c0ffee00c0ffee"))
        let release = try #require(KernelRelease("6.12.0-1-amd64"))
        let mark = BTFMark(.split, base: release, digest: digest, version: "0.1.0")
        #expect(mark.text == "btf=split base=6.12.0-1-amd64 digest=00c0ffee00c0ffee kbtf=0.1.0")
        #expect(try read("license=GPL\0\(mark.text)\0vermagic=6.12.0\0") == mark)
        let bare = BTFMark(.standalone, base: nil, digest: nil, version: nil)
        #expect(bare.text == "btf=standalone")
        #expect(try read("btf=standalone\0") == bare)
        // Words that later versions may write, and blanks.
        #expect(try read("btf=standalone  colour=red \0") == bare)
        #expect(try read("license=GPL\0depends=btf=split\0notbtf=split\0") == nil)
        #expect(try read("") == nil)
    }

    @Test(arguments: [
        ("btf=split\0btf=split\0", "2 fields: expected one"),
        ("btf=split", "no NUL at its end"),
        ("btf=\0", "unknown form '': expected standalone, split or distilled"),
        ("btf=Split\0", "unknown form 'Split': expected standalone, split or distilled"),
        ("btf=split,base\0", "unknown form 'split,base': expected standalone, split or distilled"),
        ("btf=split base\0", "expected KEY=VALUE, not 'base'"),
        ("btf=split base=6.1 base=6.2\0", "base= twice"),
        ("btf=split base=/etc\0", "base=/etc: not a kernel's release"),
        ("btf=split digest=123\0", "digest=123: expected 16 hexadecimal digits"),
        (
            "btf=split digest=00C0FFEE00C0FFEE\0",
            "digest=00C0FFEE00C0FFEE: expected 16 hexadecimal digits"
        ),
        (
            "btf=split x=\(String(repeating: "y", count: 1 << 20))\0",
            "1048588 bytes: expected at most 255"
        ),
    ])
    func damaged(field: String, message: String) {
        let error = #expect(throws: BTFMark.Fault.self) { try read("license=GPL\0" + field) }
        #expect(error == BTFMark.Fault(message: message, offset: 12))
    }

    /// Replaced, never doubled; other fields stay at their offsets.
    @Test func replacing() throws {
        let mark = BTFMark(.standalone, base: nil, digest: nil, version: nil)
        func replaced(_ modinfo: String, _ mark: BTFMark?) -> String {
            String(
                decoding: BTFMark.replacing(in: ByteView(Array(modinfo.utf8)), with: mark),
                as: UTF8.self)
        }
        #expect(replaced("a=b\0", mark) == "a=b\0btf=standalone\0")
        #expect(replaced("a=b", mark) == "a=b\0btf=standalone\0")
        for old in ["btf=standalone\0", "btf=split base=6.1\0", "btf=x"] {
            #expect(replaced("a=b\0" + old, mark) == "a=b\0btf=standalone\0")
            #expect(replaced("a=b\0" + old, nil) == "a=b\0")
        }
        #expect(replaced("btf=x\0a=b\0", mark) == "\0\0\0\0\0\0a=b\0btf=standalone\0")
        #expect(replaced("btf=x\0a=b\0btf=y\0", nil) == "\0\0\0\0\0\0a=b\0")
    }

    /// As `sha256sum | head -c 16`.
    @Test func digests() {
        #expect(BaseDigest(of: ByteView(Array("abc".utf8))).description == "ba7816bf8f01cfea")
        #expect(BaseDigest("ba7816bf8f01cfea") == BaseDigest(of: ByteView(Array("abc".utf8))))
        for text in ["", "+a7816bf8f01cfea", "ba7816bf8f01cfeg", "ba7816bf8f01cfea0"] {
            #expect(BaseDigest(text) == nil)
        }
    }
}
