// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Attaching
import Testing

/// Which names a pattern selects.
@Suite struct NamePatternTests {
    @Test(arguments: [
        ("vfs_*", "vfs_read", true), ("*", "", true), ("a?c", "abc", true), ("a?c", "ac", false),
        ("[a-c]x", "bx", true), ("[!a-c]x", "bx", false), ("*_read*", "vfs_readv", true),
        ("a*b*c", "axxbyyc", true), ("a*b*c", "axxbyy", false), ("tcp_*", "udp_x", false),
    ])
    func patterns(_ pattern: String, _ name: String, _ matches: Bool) throws {
        #expect(try #require(NamePattern(pattern)).matches(name) == matches)
    }
}
