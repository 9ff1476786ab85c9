// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension BTF {
    /// A module type with the same kind and name as a base type but a different definition.
    package struct Namesake: Sendable, CustomStringConvertible {
        package let kind: Kind
        package let name: String
        package let own: TypeID
        /// The first type with that name in the base.
        package let other: TypeID
        /// In bytes.
        package let ownSize: UInt32
        package let otherSize: UInt32

        /// `struct foo`
        package var title: String {
            let word = kind == .struct ? "struct" : kind == .union ? "union" : "enum"
            return "\(word) \(name)"
        }

        package var description: String {
            title
                + (ownSize == otherSize ? "" : " (\(ownSize) bytes, there \(otherSize))")
        }
    }

    /// Own structs, unions and enums whose name and kind also occur in the base. In BTF that was
    /// deduplicated against its base they differ from the base's: the module was built with other
    /// definitions, or has private types with these names.
    package var namesakesOfBase: [Namesake] {
        guard let base else { return [] }
        var own: [UInt64: UInt32] = [:]
        for record in ownRecords where Self.isTold(record.kind) {
            if record.kind.isAnyEnum, record.count == 0 { continue }
            // Own types share the base's string if it has the name.
            guard record.nameOffset != 0, Int(record.nameOffset) < stringBase else { continue }
            own[Self.key(record)] = record.id.rawValue
        }
        if own.isEmpty { return [] }
        var found: [Namesake] = []
        let types = TypeTable(base)
        for id in 1..<base.typeCount where Self.isTold(types.kind(id)) {
            // An enum without values is only a declaration.
            guard let other = base.record(TypeID(id)), !other.kind.isAnyEnum || other.count > 0,
                let mine = own.removeValue(forKey: Self.key(other)),
                let record = record(TypeID(mine))
            else { continue }
            found.append(
                Namesake(
                    kind: record.kind, name: record.name, own: record.id, other: other.id,
                    ownSize: record.size, otherSize: other.size))
        }
        return found.sorted { $0.own < $1.own }
    }

    private static func isTold(_ kind: Kind) -> Bool { kind.isComposite || kind.isAnyEnum }

    private static func key(_ record: Record) -> UInt64 {
        let kind: UInt64 = record.kind == .struct ? 1 : record.kind == .union ? 2 : 3
        return kind << 32 | UInt64(record.nameOffset)
    }
}
