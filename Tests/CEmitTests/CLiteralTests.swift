// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Testing

@testable import CEmit

struct CLiteralTests {
    @Test(
        arguments: [
            ("", "\"\""), ("lsm/file_open", "\"lsm/file_open\""), ("a\"b\\", "\"a\\\"b\\\\\""),
            ("\u{7}1", "\"\\0071\""), ("é", "\"\\303\\251\""),
            // `??/` is a backslash to a compiler that holds to ISO C, and would take the quote
            // along.
            ("?lsm", "\"?lsm\""), ("??/", "\"?\\?/\""), ("???", "\"?\\?\\?\""),
        ])
    func strings(text: String, literal: String) { #expect(CLiteral.string(text) == literal) }

    @Test("bytes that are not UTF-8 stay the same bytes")
    func bytes() { #expect(CLiteral.string(bytes: [0x61, 0xe9, 0xff, 0x31]) == #""a\351\3771""#) }
}
