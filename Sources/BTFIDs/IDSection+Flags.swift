// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

extension IDSection {
    /// The flags of a set's entries, in the order of `members`; nil for those that cannot be told.
    ///
    /// Before a set is filled in, flags stand behind the words of their symbols. Afterwards they stand behind
    /// ids that lie in another order, and only the BTF that the ids are of tells whose they are. Where that
    /// does not help, flags that all remaining ones share are everybody's.
    ///
    /// - Parameters:
    ///   - old: the BTF that ids are of which were filled in before; nil when it is gone.
    ///   - mask: bits that matter to the caller; others may differ in flags that all share.
    package func flags(
        ofSet number: Int, old: BTF?, mask: UInt32 = .max
    ) -> [UInt32?] {
        let set = sets[number]
        guard set.hasFlags, isFilled(set) else {
            return members[number].map { set.hasFlags ? word(at: entries[$0].place + 4) : 0 }
        }
        return claim(number, old: old, mask: mask).flags
    }

    /// As `flags`, of a set that was filled in, with what no entry claims.
    func claim(
        _ number: Int, old: BTF?, mask: UInt32 = .max
    ) -> (flags: [UInt32?], rest: [UInt32]) {
        let pairs = pairs(of: sets[number])
        var isTaken = Array(repeating: false, count: pairs.count)
        var byName: [TypeName: [Int]] = [:]
        for (index, pair) in pairs.enumerated().reversed() {
            guard let record = old?.record(TypeID(pair.id)) else { continue }
            byName[TypeName(record.kind, record.name), default: []].append(index)
        }
        var flags: [UInt32?] = members[number].map { index in
            let name = TypeName(entries[index].kind.kind, entries[index].name)
            guard let pair = byName[name]?.popLast() else { return nil }
            isTaken[pair] = true
            return pairs[pair].flags
        }
        var rest = pairs.indices.filter { !isTaken[$0] }.map { pairs[$0].flags }
        if let first = rest.first, rest.allSatisfy({ $0 & mask == first & mask }) {
            for index in flags.indices where flags[index] == nil && !rest.isEmpty {
                flags[index] = rest.removeFirst()
            }
        }
        return (flags, rest)
    }
}

/// A type as symbols ask for it.
struct TypeName: Hashable {
    let kind: Kind
    let name: String

    init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }
}
