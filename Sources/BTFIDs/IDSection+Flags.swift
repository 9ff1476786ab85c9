// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
internal import Bytes

extension IDSection {
    /// The flags of a set's entries, in the order of `members`; nil for those that are unknown.
    ///
    /// Before a set is filled in, flags follow the words of their symbols. Afterwards they follow
    /// ids in another order, and only the BTF of the ids shows which entry they belong to. If that
    /// does not help, flags shared by all remaining entries apply to each.
    ///
    /// - Parameters:
    ///   - old: the BTF of ids that were already filled in; nil if it is not available.
    ///   - split: the same, if its base is not available or was replaced.
    ///   - mask: bits that matter to the caller; entries may differ in other bits.
    package func flags(
        ofSet number: Int, old: BTF?, withoutBase split: SplitWithoutBase? = nil,
        mask: UInt32 = .max
    ) -> [UInt32?] {
        let set = sets[number]
        guard set.hasFlags, isFilled(set) else {
            return members[number].map { set.hasFlags ? word(at: entries[$0].place + 4) : 0 }
        }
        return claim(number, old, split, mask: mask).flags
    }

    /// Functions whose last arguments the verifier supplies (`KF_IMPLICIT_ARGS`,
    /// include/linux/btf.h). If several sets contain a function, the set whose name sorts last
    /// counts, as in the kernel's tool.
    ///
    /// The parameters are those of `flags`.
    package func functionsWithImplicitArguments(
        old: BTF?, withoutBase split: SplitWithoutBase? = nil
    ) -> Swift.Set<String> {
        var seen: Swift.Set<String> = []
        var found: Swift.Set<String> = []
        let order = sets.indices.filter { sets[$0].hasFlags }.sorted {
            sets[$0].name.systemBytes.lexicographicallyPrecedes(sets[$1].name.systemBytes)
        }
        for number in order.reversed() {
            let flags = flags(ofSet: number, old: old, withoutBase: split)
            for (index, flags) in zip(members[number], flags)
            where entries[index].kind == .func && seen.insert(entries[index].name).inserted {
                if KernelFunctionFlags(rawValue: flags ?? 0).contains(.implicitArguments) {
                    found.insert(entries[index].name)
                }
            }
        }
        return found
    }

    /// Like `flags` for a filled-in set, but also returns the pairs that no entry claims.
    func claim(
        _ number: Int, _ old: BTF?, _ split: SplitWithoutBase?, mask: UInt32 = .max
    ) -> (flags: [UInt32?], rest: [UInt32]) {
        let pairs = pairs(of: sets[number])
        var claims = claims(number, pairs) { [longest = longestName(in: number)] id in
            old?.typeName(TypeID(id), atMost: longest)
        }
        if claims == nil, let split, pairs.contains(where: { $0.flags != pairs[0].flags }) {
            let names = functions(number, pairs, split)
            claims = self.claims(number, pairs) { names[$0].map { TypeName(.func, $0) } }
        }
        var flags =
            claims.map { $0.map { $0.map { pairs[$0].flags } } }
            ?? members[number].map { _ in nil }
        let taken = Swift.Set((claims ?? []).compactMap { $0 })
        var rest = pairs.indices.filter { !taken.contains($0) }.map { pairs[$0].flags }
        if let first = rest.first, rest.allSatisfy({ $0 & mask == first & mask }) {
            for index in flags.indices where flags[index] == nil && !rest.isEmpty {
                flags[index] = rest.removeFirst()
            }
        }
        return (flags, rest)
    }

    /// The pair of each entry, as far as it has an id; nil if an id is left over: then the names do
    /// not come from the BTF of the ids, and none can be trusted.
    private func claims(
        _ number: Int, _ pairs: [Pair], _ name: (UInt32) -> TypeName?
    ) -> [Int?]? {
        var byName: [TypeName: [Int]] = [:]
        for (index, pair) in pairs.enumerated().reversed() where pair.id != 0 {
            guard let name = name(pair.id) else { return nil }
            byName[name, default: []].append(index)
        }
        let claims = members[number].map { index in
            byName[TypeName(entries[index].kind.kind, entries[index].name)]?.popLast()
        }
        return byName.values.allSatisfy(\.isEmpty) ? claims : nil
    }

    /// The names of the functions with these ids.
    private func functions(
        _ number: Int, _ pairs: [Pair], _ split: SplitWithoutBase
    ) -> [UInt32: String] {
        let names = Swift.Set(
            members[number].lazy.map { entries[$0] }.filter { $0.kind == .func }.map(\.name))
        let ids = Swift.Set(pairs.lazy.map(\.id).filter { $0 != 0 })
        return split.functions(ids.sorted(), among: names.sorted()) ?? [:]
    }
}

extension IDSection {
    /// Length in bytes of the longest name requested by an entry of the set.
    func longestName(in set: Int) -> Int {
        members[set].map { entries[$0].name.systemBytes.count }.max() ?? 0
    }
}

extension BTF {
    /// The kind and name of a type; nil if it does not exist, and for a longer name.
    func typeName(_ id: TypeID, atMost limit: Int) -> TypeName? {
        guard let record = record(id),
            let name = stringBytes(at: record.nameOffset, atMost: limit)
        else { return nil }
        return TypeName(record.kind, String(systemBytes: name))
    }
}

/// A type as symbols request it.
struct TypeName: Hashable {
    let kind: Kind
    let name: String

    init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }
}
