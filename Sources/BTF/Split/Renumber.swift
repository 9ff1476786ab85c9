// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

extension BTF {
    /// Standalone BTF with its ids and strings shifted behind those of a base, so that it is split
    /// BTF on that base. It shares nothing with the base: types that both have exist twice.
    ///
    /// The empty string at the start is removed, because split BTF uses its base's; so is a layout
    /// section.
    ///
    /// - Throws: `BTFError` if this is split BTF, if a type refers to one that does not exist, and
    ///   if there would be more types or strings than kernels accept.
    package func renumbered(onto base: BaseIndex) throws(BTFError) -> Rebased {
        guard self.base == nil else { throw BTFError(offset: 0, "split BTF cannot be renumbered") }
        try checkReferences()
        let empty = strings.firstIndex { $0 != 0 } ?? strings.count
        try checkLimits(
            typeCount: Int(base.typeCount) + starts.count,
            stringLength: Int(base.stringLength) + strings.count - empty)
        let shift = base.typeCount - firstID
        var output = words
        for start in starts {
            forEachReference(words, Int(start)) { position in
                if words[position] != 0 { output[position] = words[position] + shift }
            }
            forEachName(words, Int(start)) { position in
                let offset = Int(words[position])
                // A string at the very start, or in the middle, may be empty as well.
                output[position] =
                    strings[offset] == 0
                    ? 0 : base.stringLength + UInt32(truncatingIfNeeded: offset - empty)
            }
        }
        return Rebased(
            bytes: BTF.serialized(
                words: output, strings: Array(strings[empty...]), bigEndian: bigEndian),
            typeCount: starts.count,
            ids: (0..<typeCount).map { $0 == 0 ? 0 : $0 + shift })
    }
}
