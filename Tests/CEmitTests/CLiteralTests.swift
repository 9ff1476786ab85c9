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
}
