// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF

/// Finds in a kernel's types what a path of an object leads to, by the rules of libbpf: members by
/// name, also those of unnamed structs; elements by number; and kinds that fit each other.
struct PathSearch {
    let local: BTF
    let target: BTF
    /// Of structs that were searched before.
    private var tables: [TypeID: MemberTable] = [:]

    init(local: BTF, target: BTF) {
        self.local = local
        self.target = target
    }

    /// The path from `root`; nil if the kernel's type does not have all of it.
    mutating func path(
        like path: AccessPath, _ kind: RelocationKind, from root: TypeID
    ) throws(RelocationFault) -> AccessPath? {
        switch kind.subject {
        case .type:
            var matcher = TypeMatcher(local: local, target: target)
            let fits =
                kind == .typeMatches
                ? try matcher.match(path.root, root) : try matcher.areCompatible(path.root, root)
            return fits ? AccessPath(root: root) : nil
        case .enumerator: return try enumerator(like: path, from: root)
        case .field: return try field(like: path, from: root)
        }
    }

    private func enumerator(
        like path: AccessPath, from root: TypeID
    ) throws(RelocationFault) -> AccessPath? {
        guard let plain = target.resolved(root), let type = plain.record, type.kind.isAnyEnum,
            let name = path.steps.first?.name
        else { return nil }
        let wanted = essentialName(name)
        for index in 0..<type.count {
            let own = type.elementNameBytes(index)
            guard essentialName(own) == wanted else { continue }
            var found = AccessPath(root: root)
            found.steps.append(.init(type: plain.id, index: index, name: own))
            try found.append(number: index)
            return found
        }
        return nil
    }

    private mutating func field(
        like path: AccessPath, from root: TypeID
    ) throws(RelocationFault) -> AccessPath? {
        var found = AccessPath(root: root)
        var current = root
        for (number, step) in path.steps.enumerated() {
            guard let plain = target.resolved(current) else {
                throw RelocationFault("type [\(current)] of the kernel leads to no type")
            }
            if step.name != nil {
                var visited: Set<TypeID> = []
                guard let next = try member(step, in: plain, &found, &visited) else { return nil }
                current = next
                continue
            }
            var element = plain.id
            if number > 0 {
                guard let array = plain.record, array.kind == .array,
                    target.isFlexible(array, after: found.steps.last)
                        || step.index < array.fixed(2)
                else { return nil }
                guard let plain = target.resolved(TypeID(array.fixed(0))) else {
                    throw RelocationFault("ARRAY [\(array.id)] of the kernel is of no type")
                }
                element = plain.id
            }
            found.steps.append(.init(type: element, index: step.index, name: nil))
            try found.append(number: step.index)
            found.bitOffset &+= try target.bits(step.index, of: element)
            current = element
        }
        return found
    }

    /// Adds the member with the step's name to the path, and the unnamed structs that it is in.
    ///
    /// - Parameter visited: structs without such a member. A hostile file can nest them so that
    ///   there are more ways than steps.
    /// - Returns: the member's type; nil if there is none, or one that does not fit.
    private mutating func member(
        _ step: AccessPath.Step, in plain: BTF.Resolved, _ path: inout AccessPath,
        _ visited: inout Set<TypeID>
    ) throws(RelocationFault) -> TypeID? {
        guard let name = step.name, let type = plain.record, type.kind.isComposite,
            visited.insert(type.id).inserted
        else { return nil }
        let table = table(of: type)
        let named = table.named[name]
        let before = path
        for index in table.unnamed where index < named ?? type.count {
            let member = type.place(ofMember: index)
            guard let inner = target.resolved(member.type) else { continue }
            try path.append(number: index)
            path.bitOffset &+= UInt64(member.bitOffset)
            if let found = try self.member(step, in: inner, &path, &visited) { return found }
            path = before
        }
        guard let named, let owner = local.record(step.type) else { return nil }
        let member = type.place(ofMember: named)
        guard try fits(owner.place(ofMember: step.index).type, member.type) else { return nil }
        try path.append(number: named)
        path.bitOffset &+= UInt64(member.bitOffset)
        path.steps.append(.init(type: type.id, index: named, name: name))
        return member.type
    }

    private mutating func table(of type: Record) -> MemberTable {
        if let table = tables[type.id] { return table }
        let table = MemberTable(type)
        tables[type.id] = table
        return table
    }

    /// Whether an access of a member of the one type can be adapted to the other.
    private func fits(_ one: TypeID, _ two: TypeID) throws(RelocationFault) -> Bool {
        var (one, two) = (one, two)
        for _ in 0..<256 {
            guard let mine = local.resolved(one), let other = target.resolved(two) else {
                throw RelocationFault("a member's type leads to no type")
            }
            // void has no members, and nothing has void for one.
            guard let mine = mine.record, let other = other.record else { return false }
            if mine.kind.isComposite, other.kind.isComposite { return true }
            guard mine.kind.isLike(other.kind) else { return false }
            switch mine.kind.role {
            case .pointer, .float: return true
            case .forward, .enumeration:
                let names = (essentialName(mine.nameBytes), essentialName(other.nameBytes))
                return names.0.isEmpty || names.1.isEmpty || names.0 == names.1
            case .integer: return mine.isPlainInteger && other.isPlainInteger
            case .array: (one, two) = (TypeID(mine.fixed(0)), TypeID(other.fixed(0)))
            case .composite, .alias, .qualifier, .typeTag, .function, .prototype, .variable,
                .section, .declarationTag, .location, .locationPrototype, .locationSection,
                .unknown:
                return false
            }
        }
        throw RelocationFault("a member's type leads to no type")
    }
}

/// The members of a struct, by name.
private struct MemberTable {
    /// The first one with each name.
    private(set) var named: [ArraySlice<UInt8>: Int] = [:]
    private(set) var unnamed: [Int] = []

    init(_ type: Record) {
        for index in 0..<type.count {
            let name = type.elementNameBytes(index)
            if name.isEmpty {
                unnamed.append(index)
            } else if named[name] == nil {
                named[name] = index
            }
        }
    }
}

extension Kind {
    /// The same kind, or two forms of enums.
    func isLike(_ other: Kind) -> Bool { self == other || isAnyEnum && other.isAnyEnum }
}

extension Record {
    /// An INT that begins at its first bit. Others are how compilers once described bitfields.
    var isPlainInteger: Bool { fixed(0) >> 16 & 0xff == 0 }
}
