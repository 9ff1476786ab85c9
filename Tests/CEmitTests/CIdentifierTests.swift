// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Testing

@testable import CEmit

struct CIdentifierTests {
    @Test(arguments: ["a", "_", "rodata_1", "Task", "x86"])
    func valid(_ name: String) { #expect(CIdentifier.isValid(name)) }

    @Test(arguments: ["", "1a", "a-b", "a.b", "größe", "int", "_Bool", "typeof", "a b"])
    func invalid(_ name: String) { #expect(!CIdentifier.isValid(name)) }
}
