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
        let types = TypeTable(base)
        return namesakes(NamedTypes(base.typeCount) { types.word($0, $1) })
    }

    /// The same.
    ///
    /// - Parameter index: of its base.
    package func namesakes(in index: BaseIndex) -> [Namesake] { namesakes(index.named) }

    private func namesakes(_ ofBase: NamedTypes) -> [Namesake] {
        var found: [Namesake] = []
        // Of several own types with one name the last one counts.
        var own: [UInt64: Record] = [:]
        for record in ownRecords where record.kind.isComposite || record.kind.isAnyEnum {
            if record.kind.isAnyEnum, record.count == 0 { continue }
            // Own types share the base's string if it has the name.
            guard record.nameOffset != 0, Int(record.nameOffset) < stringBase else { continue }
            own[UInt64(Self.sort(record.kind)) << 32 | UInt64(record.nameOffset)] = record
        }
        for record in own.values {
            var other: Record?
            _ = ofBase.first(record.nameOffset) { id in
                // An enum without values is only a declaration.
                guard let same = self.record(TypeID(id)), !same.kind.isAnyEnum || same.count > 0,
                    Self.sort(same.kind) == Self.sort(record.kind)
                else { return false }
                other = same
                return true
            }
            guard let other else { continue }
            found.append(
                Namesake(
                    kind: record.kind, name: record.name, own: record.id, other: other.id,
                    ownSize: record.size, otherSize: other.size))
        }
        return found.sorted { $0.own < $1.own }
    }

    private static func sort(_ kind: Kind) -> UInt32 {
        kind == .struct ? 1 : kind == .union ? 2 : 3
    }
}
