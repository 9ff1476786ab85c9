// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Testing

@testable import CEmit

struct CIdentifierTests {
    @Test(arguments: ["a", "_", "rodata_1", "Task", "x86"])
    func valid(_ name: String) { #expect(CIdentifier.isValid(name)) }

    @Test(arguments: ["", "1a", "a-b", "a.b", "größe", "int", "_Bool", "typeof", "a b"])
    func invalid(_ name: String) { #expect(!CIdentifier.isValid(name)) }

    @Test(arguments: [
        ("a/b/policy.bpf.o", "policy"), ("policy.o", "policy"), ("x-y.z.o", "x_y_z"),
        ("odd.bpf", "odd"), ("größe.o", "gr____e"), ("plain", "plain"), ("1st.o", nil),
        ("int.o", nil), (".o", nil), ("", nil),
    ])
    func afterFile(_ path: String, _ name: String?) {
        #expect(CIdentifier.named(after: path, without: [".o", ".bpf"]) == name)
    }
}
