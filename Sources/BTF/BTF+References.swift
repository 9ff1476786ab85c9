// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension BTF {
    /// Throws if a type, the base's included, is of a kind that we do not know: for code that has
    /// to understand BTF that was parsed for reading.
    package func checkKinds() throws(BTFError) {
        try base?.checkKinds()
        guard layout != nil else { return }
        for (number, start) in starts.enumerated() {
            let info = TypeInfo(rawValue: words[Int(start) + 1])
            guard info.kind == nil else { continue }
            throw BTFError(
                offset: header.length + header.typeOffset + Int(start) * 4,
                "type \(Int(firstID) + number): unknown kind \(info.rawKind)")
        }
    }

    /// Checks that every own type refers to types that exist, which a parsed BTF need not do and
    /// encoding against it relies on, and that all kinds are known.
    ///
    /// - Parameter skippingUnknown: pass over unknown kinds, whose references are not known either.
    package func checkReferences(skippingUnknown: Bool = false) throws(BTFError) {
        for start in starts.lazy.map(Int.init) {
            func check(_ position: Int) throws(BTFError) {
                let id = words[start + position]
                guard id >= typeCount else { return }
                throw BTFError(
                    offset: header.length + header.typeOffset + start * 4,
                    "it refers to type \(id), the last one is \(typeCount - 1)")
            }
            let info = TypeInfo(rawValue: words[start + 1])
            guard info.kind != nil || skippingUnknown else {
                throw BTFError(
                    offset: header.length + header.typeOffset + start * 4,
                    "unknown kind \(info.rawKind)")
            }
            try info.forEachReference(check)
        }
    }
}
