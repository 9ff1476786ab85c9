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

    /// Functions whose last arguments the verifier fills in (`KF_IMPLICIT_ARGS`, include/linux/btf.h). Of several
    /// sets that hold a function, the one whose name sorts last counts, as for the kernel's tool.
    ///
    /// - Parameter old: as for `flags`.
    package func functionsWithImplicitArguments(old: BTF?) -> Swift.Set<String> {
        var seen: Swift.Set<String> = []
        var found: Swift.Set<String> = []
        let order = sets.indices.filter { sets[$0].hasFlags }.sorted {
            sets[$0].name.utf8.lexicographicallyPrecedes(sets[$1].name.utf8)
        }
        for number in order.reversed() {
            for (index, flags) in zip(members[number], flags(ofSet: number, old: old))
            where entries[index].kind == .func && seen.insert(entries[index].name).inserted {
                if (flags ?? 0) & (1 << 16) != 0 { found.insert(entries[index].name) }
            }
        }
        return found
    }

    /// As `flags`, of a set that was filled in, with what no entry claims.
    func claim(
        _ number: Int, old: BTF?, mask: UInt32 = .max
    ) -> (flags: [UInt32?], rest: [UInt32]) {
        let pairs = pairs(of: sets[number])
        var isTaken = Array(repeating: false, count: pairs.count)
        var byName: [TypeName: [Int]] = [:]
        let longest = longestName(in: number)
        for (index, pair) in pairs.enumerated().reversed() {
            guard let name = old?.typeName(TypeID(pair.id), atMost: longest) else { continue }
            byName[name, default: []].append(index)
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

extension IDSection {
    /// Bytes of the longest name that an entry of the set asks for.
    func longestName(in set: Int) -> Int {
        members[set].map { entries[$0].name.utf8.count }.max() ?? 0
    }
}

extension BTF {
    /// The kind and the name of a type; nil for none, and for a longer name.
    func typeName(_ id: TypeID, atMost limit: Int) -> TypeName? {
        guard let record = record(id),
            let name = stringBytes(at: record.nameOffset, atMost: limit)
        else { return nil }
        return TypeName(record.kind, String(decoding: name, as: UTF8.self))
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
