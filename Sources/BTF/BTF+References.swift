// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension BTF {
    /// Checks that every own type refers to types that exist, which a parsed BTF need not do and
    /// encoding against it relies on.
    package func checkReferences() throws(BTFError) {
        for start in starts.lazy.map(Int.init) {
            func check(_ position: Int) throws(BTFError) {
                let id = words[start + position]
                guard id >= typeCount else { return }
                throw BTFError(
                    offset: header.length + header.typeOffset + start * 4,
                    "it refers to type \(id), the last one is \(typeCount - 1)")
            }
            try TypeInfo(rawValue: words[start + 1]).forEachReference(check)
        }
    }
}
