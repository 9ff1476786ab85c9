// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

extension SizeAccount {
    /// Types and bytes of each unit of debug information.
    ///
    /// A type with a name belongs to the first unit that defines it, a type without one (pointers,
    /// prototypes, arrays) to the first unit with a type that leads to it.
    ///
    /// - Parameters:
    ///   - count: how many units there are.
    ///   - unit: the unit that defines a name; nil if none does.
    /// - Returns: a sum for each unit, and at the end that of types of no unit.
    package func units(
        of btf: BTF, count: Int, _ unit: (Kind, [UInt8]) -> Int?
    ) -> [SizeSum] {
        var owners = [Int](repeating: count, count: types.count)
        var members: [[Int]] = Array(repeating: [], count: count)
        for (index, start) in btf.starts.enumerated() {
            guard let kind = TypeInfo(rawValue: btf.words[Int(start) + 1]).kind,
                let name = btf.stringBytes(at: btf.words[Int(start)], atMost: 511), !name.isEmpty,
                let owner = unit(kind, Array(name)), owner < count
            else { continue }
            owners[index] = owner
            members[owner].append(index)
        }
        for (owner, own) in members.enumerated() {
            var pending = own
            while let index = pending.popLast() {
                forEachReference(btf.words, Int(btf.starts[index])) { position in
                    let id = btf.words[position]
                    guard id >= btf.firstID, id < btf.typeCount else { return }
                    let target = Int(id - btf.firstID)
                    guard owners[target] == count, isUnnamed(target, btf) else { return }
                    owners[target] = owner
                    pending.append(target)
                }
            }
        }
        var sums = [SizeSum](repeating: SizeSum(), count: count + 1)
        for (index, owner) in owners.enumerated() { sums[owner] += SizeSum(types[index]) }
        return sums
    }

    private func isUnnamed(_ index: Int, _ btf: BTF) -> Bool {
        btf.stringBytes(at: btf.words[Int(btf.starts[index])], atMost: 0) != nil
    }
}
