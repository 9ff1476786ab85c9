// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF

/// Whether a type of an object and one of a kernel are the same for relocations that are about
/// types, by the rules of libbpf.
struct TypeMatcher {
    let local: BTF
    let target: BTF
    /// What was found; nil while it is being found. Types may refer to each other in ways that
    /// would take forever without.
    private var compatible: [Pair: Bool?] = [:]
    private var matching: [Pair: Bool?] = [:]

    private struct Pair: Hashable {
        let one: TypeID
        let two: TypeID
        var behindPointer = false
    }

    /// libbpf gives up at the same depth.
    private static let deepest = 32

    init(local: BTF, target: BTF) {
        self.local = local
        self.target = target
    }

    private static func tooDeep() -> RelocationFault {
        RelocationFault("its types nest deeper than \(deepest) levels")
    }

    private func resolved(
        _ one: TypeID, _ two: TypeID
    ) throws(RelocationFault) -> (BTF.Resolved, BTF.Resolved) {
        guard let mine = local.resolved(one), let other = target.resolved(two) else {
            throw RelocationFault("it leads to no type")
        }
        return (mine, other)
    }

    // MARK: Compatible

    /// Whether a kernel's type with the same name stands for the object's: the kinds are the same,
    /// also behind pointers and of elements, parameters and results.
    mutating func areCompatible(_ one: TypeID, _ two: TypeID) throws(RelocationFault) -> Bool {
        // The names are equal; a typedef and a struct with the same name are not alike.
        guard let mine = local.record(one), let other = target.record(two),
            mine.kind.isLike(other.kind)
        else { return false }
        return try areCompatible(one, two, Self.deepest)
    }

    private mutating func areCompatible(
        _ one: TypeID, _ two: TypeID, _ levels: Int
    ) throws(RelocationFault) -> Bool {
        let pair = Pair(one: one, two: two)
        if let known = compatible[pair] {
            guard let known else { throw Self.tooDeep() }
            return known
        }
        compatible[pair] = .some(nil)
        let answer = try compare(one, two, levels)
        compatible[pair] = answer
        return answer
    }

    private mutating func compare(
        _ one: TypeID, _ two: TypeID, _ levels: Int
    ) throws(RelocationFault) -> Bool {
        var (one, two) = (one, two)
        for _ in 0..<Self.deepest {
            let (mine, other) = try resolved(one, two)
            guard let mine = mine.record, let other = other.record else {
                return mine.record == nil && other.record == nil
            }
            guard mine.kind.isLike(other.kind) else { return false }
            switch mine.kind.role {
            case .composite, .enumeration, .forward: return true
            case .integer: return mine.isPlainInteger && other.isPlainInteger
            case .pointer: (one, two) = (mine.type, other.type)
            case .array: (one, two) = (TypeID(mine.fixed(0)), TypeID(other.fixed(0)))
            case .prototype:
                guard mine.count == other.count else { return false }
                for index in 0..<mine.count {
                    guard levels > 0 else { throw Self.tooDeep() }
                    guard
                        try areCompatible(
                            TypeID(mine.element(index, 1)), TypeID(other.element(index, 1)),
                            levels - 1)
                    else { return false }
                }
                (one, two) = (mine.type, other.type)
            case .float, .alias, .qualifier, .typeTag, .function, .variable, .section,
                .declarationTag, .location, .locationPrototype, .locationSection, .unknown:
                return false
            }
        }
        throw Self.tooDeep()
    }

    // MARK: Matching

    /// Whether a kernel's type has all that the object's has: members, enumerators, parameters,
    /// each with the same name and a type that matches. Behind pointers, names of structs suffice.
    mutating func match(_ one: TypeID, _ two: TypeID) throws(RelocationFault) -> Bool {
        try match(one, two, behindPointer: false, Self.deepest)
    }

    private mutating func match(
        _ one: TypeID, _ two: TypeID, behindPointer: Bool, _ levels: Int
    ) throws(RelocationFault) -> Bool {
        guard levels > 0 else { throw Self.tooDeep() }
        let pair = Pair(one: one, two: two, behindPointer: behindPointer)
        if let known = matching[pair] {
            guard let known else { throw Self.tooDeep() }
            return known
        }
        matching[pair] = .some(nil)
        let answer = try hold(one, two, behindPointer, levels)
        matching[pair] = answer
        return answer
    }

    private mutating func hold(
        _ one: TypeID, _ two: TypeID, _ isBehind: Bool, _ levels: Int
    ) throws(RelocationFault) -> Bool {
        var (one, two, behindPointer) = (one, two, isBehind)
        for _ in 0..<Self.deepest {
            let (mine, other) = try resolved(one, two)
            guard let mine = mine.record, let other = other.record else {
                return mine.record == nil && other.record == nil
            }
            guard essentialName(mine.nameBytes) == essentialName(other.nameBytes) else {
                return false
            }
            switch mine.kind.role {
            case .forward:
                if mine.kind == other.kind { return mine.flag == other.flag }
                return behindPointer && other.kind == (mine.flag ? .union : .struct)
            case .enumeration: return other.kind.isAnyEnum && hasEnumerators(of: mine, other)
            case .composite:
                if behindPointer {
                    return mine.kind == other.kind
                        || other.kind == .fwd && (mine.kind == .union) == other.flag
                }
                guard mine.kind == other.kind else { return false }
                return try hasMembers(of: mine, other, levels)
            case .integer:
                return mine.kind == other.kind && mine.size == other.size
                    && (mine.fixed(0) ^ other.fixed(0)) >> 24 & IntEncoding.signed == 0
            case .pointer:
                guard mine.kind == other.kind else { return false }
                (one, two, behindPointer) = (mine.type, other.type, true)
            case .array:
                guard mine.kind == other.kind, mine.fixed(2) == other.fixed(2) else { return false }
                (one, two) = (TypeID(mine.fixed(0)), TypeID(other.fixed(0)))
            case .prototype:
                guard mine.kind == other.kind, mine.count == other.count else { return false }
                for index in 0..<mine.count {
                    guard
                        try match(
                            TypeID(mine.element(index, 1)), TypeID(other.element(index, 1)),
                            behindPointer: behindPointer, levels - 1)
                    else { return false }
                }
                (one, two) = (mine.type, other.type)
            case .float, .alias, .qualifier, .typeTag, .function, .variable, .section,
                .declarationTag, .location, .locationPrototype, .locationSection, .unknown:
                return false
            }
        }
        throw Self.tooDeep()
    }

    private func hasEnumerators(of mine: Record, _ other: Record) -> Bool {
        guard mine.size == other.size, mine.count <= other.count else { return false }
        let names = Set((0..<other.count).map { essentialName(other.elementNameBytes($0)) })
        return (0..<mine.count).allSatisfy {
            names.contains(essentialName(mine.elementNameBytes($0)))
        }
    }

    private mutating func hasMembers(
        of mine: Record, _ other: Record, _ levels: Int
    ) throws(RelocationFault) -> Bool {
        guard mine.count <= other.count else { return false }
        var places: [ArraySlice<UInt8>: [TypeID]] = [:]
        for index in 0..<other.count {
            places[essentialName(other.elementNameBytes(index)), default: []].append(
                TypeID(other.element(index, 1)))
        }
        for index in 0..<mine.count {
            var has = false
            for type in places[essentialName(mine.elementNameBytes(index))] ?? [] where !has {
                has = try match(
                    TypeID(mine.element(index, 1)), type, behindPointer: false, levels - 1)
            }
            guard has else { return false }
        }
        return true
    }
}
