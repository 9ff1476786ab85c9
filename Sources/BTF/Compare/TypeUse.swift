// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// The named types of a base that split BTF stands on: what its own types refer to, and what that
/// contains by value. Not what the base's structs point at: a module that does not refer to it
/// cannot tell what is in there.
package struct TypeUse: Sendable {
    private var names: Set<[UInt8]> = []

    /// - Parameter module: split BTF.
    package init(of module: BTF) {
        let types = TypeTable(module)
        var isSeen = Array(repeating: false, count: Int(types.typeCount))
        var pending: [UInt32] = []
        func add(_ id: UInt32) {
            guard types.exists(id), !isSeen[Int(id)] else { return }
            isSeen[Int(id)] = true
            pending.append(id)
        }
        for id in types.ownIDs { types.forEachReference(id, add) }
        while let id = pending.popLast() {
            guard id < types.firstID else { continue }
            names.insert(Self.key(id, types))
            if types.kind(id).isComposite {
                // Pointers among the members end it.
                for index in 0..<types.count(id) {
                    var member = types.word(id, 4 + index * 3)
                    for _ in 0..<64 where types.exists(member) {
                        guard let part = types.part(0, of: member), !types.kind(member).isComposite
                        else { break }
                        if types.isNamed(member) { add(member) }
                        member = part
                    }
                    if types.kindIfAny(member) != .ptr { add(member) }
                }
            } else {
                types.forEachReference(id, add)
            }
        }
    }

    func contains(_ id: UInt32, of types: TypeTable) -> Bool { names.contains(Self.key(id, types)) }

    private static func key(_ id: UInt32, _ types: TypeTable) -> [UInt8] {
        [types.kind(id).rawValue] + types.string(at: types.nameOffset(id))
    }
}
