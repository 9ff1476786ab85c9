// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF

extension ObjectReader {
    /// Refuses a variable of size 0, such as `long zero[0]` or one of a struct without members:
    /// kernels reject BTF that lists it in a DATASEC, and no loader changes that entry.
    /// Declarations are exempt: libbpf gives those in `.ksyms` a size, and in other sections the
    /// definition has one.
    static func checkSizes(_ btf: BTF, path: String) throws(BPFObjectError) {
        guard let found = btf.firstSizelessVariable else { return }
        func name(_ offset: UInt32) -> String {
            String(
                decoding: btf.stringBytes(at: offset, atMost: longestName) ?? [], as: UTF8.self)
        }
        let variable = name(found.variable.nameOffset)
        throw BPFObjectError(
            file: path, section: name(found.section.nameOffset),
            "variable '\(variable)' (\(btf.text(found.variable.type))) has no size: kernels reject the object's BTF",
            hint: "give '\(variable)' an element or a member, or remove it")
    }
}
