// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

extension BTF {
    /// Standalone BTF with its ids and strings moved behind those of a base, so that it stands as split BTF
    /// over that. It uses nothing of the base: what both have is there twice.
    ///
    /// The empty string at the start of the strings goes, for split BTF has that of its base; a layout section
    /// goes too.
    ///
    /// - Throws: `BTFError` when this is split BTF, when a type refers to one that does not exist, and when there
    ///   would be more types or strings than kernels take.
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
                // Some string at the very start, or in the middle, may be empty as well.
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
