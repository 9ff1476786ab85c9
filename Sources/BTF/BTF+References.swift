// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension BTF {
    /// Checks that every own type refers to types that exist, which a parsed BTF need not do and
    /// encoding against it relies on.
    package func checkReferences() throws(BTFError) {
        var dangling: (start: Int, id: UInt32)?
        for start in starts.lazy.map(Int.init) {
            forEachReference(words, start) { position in
                if words[position] >= typeCount { dangling = (start, words[position]) }
            }
            if let dangling {
                throw BTFError(
                    offset: header.length + header.typeOffset + dangling.start * 4,
                    "it refers to type \(dangling.id), the last one is \(typeCount - 1)")
            }
        }
    }
}
