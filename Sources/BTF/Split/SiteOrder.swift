// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Sorts the sites of a LOCSEC, whose record is at `start`, by function and offset, as the kernel's
/// resolve_btfids leaves them. Does nothing to records of other kinds.
func sortSites(at start: Int, in words: inout [UInt32]) {
    let info = TypeInfo(rawValue: words[start + 1])
    guard info.kind == .locsec else { return }
    let sites = (0..<info.count).map { index -> (UInt32, UInt32, UInt32) in
        let at = start + 3 + index * 3
        return (words[at], words[at + 2], words[at + 1])
    }
    for (index, site) in sites.sorted(by: <).enumerated() {
        let at = start + 3 + index * 3
        (words[at], words[at + 2], words[at + 1]) = site
    }
}

extension BTF {
    /// The same BTF with the sites of each LOCSEC in order of functions and offsets, after ids have
    /// changed.
    package func withSortedSites() -> BTF {
        guard hasKinds(of: .inlineSites) else { return self }
        var words = words
        for start in starts { sortSites(at: Int(start), in: &words) }
        return OwnTypes(self, words: words, starts: starts).finish()
    }
}
