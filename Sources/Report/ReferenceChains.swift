// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

/// Why types are in a BTF: the shortest way to each from a function, a variable or a section.
package struct ReferenceChains: Sendable {
    /// The way to a type.
    package struct Chain: Equatable, Sendable {
        /// What is not referred to itself, such as `FUNC foo_open`, and then how each type that has
        /// a name leads to the next, such as `member f_inode: struct inode *`.
        package let steps: [String]
    }

    private let btf: BTF
    private let texts: TypeTexts
    /// The own type that refers to each own type: itself for one where chains begin, 0 for a type
    /// that no chain reaches.
    private let referrers: [UInt32]

    package init(_ btf: BTF) {
        self.btf = btf
        texts = TypeTexts(btf)
        var referrers = [UInt32](repeating: 0, count: btf.starts.count)
        var reached: [UInt32] = []
        for kind in ReferenceChains.roots {
            for (index, start) in btf.starts.enumerated()
            where TypeInfo(rawValue: btf.words[Int(start) + 1]).kind == kind {
                referrers[index] = btf.firstID + UInt32(index)
                reached.append(UInt32(index))
            }
        }
        var next = 0
        while next < reached.count {
            let index = reached[next]
            next += 1
            let start = Int(btf.starts[Int(index)])
            forEachReference(btf.words, start) { position in
                let id = btf.words[position]
                guard id >= btf.firstID, id < btf.typeCount,
                    referrers[Int(id - btf.firstID)] == 0
                else { return }
                referrers[Int(id - btf.firstID)] = btf.firstID + index
                reached.append(id - btf.firstID)
            }
        }
        self.referrers = referrers
    }

    /// In this order: of two chains of one length, that from a function is taken.
    private static let roots: [Kind] = [.func, .var, .datasec, .locsec, .declTag]

    /// Longer chains are cut: only hostile BTF has them.
    private static let longest = 64

    /// The shortest chain to an own type; nil if nothing leads to it.
    package func chain(to type: TypeID) -> Chain? {
        guard type.rawValue >= btf.firstID, type.rawValue < btf.typeCount else { return nil }
        var ids = [type.rawValue]
        while let last = ids.last, ids.count <= Self.longest {
            let referrer = referrers[Int(last - btf.firstID)]
            if referrer == 0 { return nil }
            if referrer == last { break }
            ids.append(referrer)
        }
        ids.reverse()
        guard let root = btf.record(TypeID(ids[0])) else { return nil }
        var steps = ["\(root.kind.word) \(btf.shortName(at: root.nameOffset))"]
        for (from, to) in zip(ids, ids.dropFirst()) {
            guard let step = btf.referenceText(from: TypeID(from), to: TypeID(to), texts)
            else { continue }
            steps.append(step)
        }
        return Chain(steps: steps)
    }
}
