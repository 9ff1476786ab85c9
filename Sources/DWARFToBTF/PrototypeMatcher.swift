// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes

/// Whether two units mean the same prototype. Types are compared by kind and name down to the first
/// named one, as far as a caller could tell them apart: a struct declared in one unit and defined
/// in the other is the same.
///
/// Each matcher compares one pair of prototypes. No prototype in real code has longer chains of
/// types, or more of them, than it follows; functions that take functions that take functions ...
/// would need steps exponential in their depth.
struct PrototypeMatcher {
    private var left = 100_000

    mutating func same(
        _ a: UInt32, _ b: UInt32, _ types: borrowing TypeStore, depth: Int = 0
    ) -> Bool {
        var a = a
        var b = b
        guard depth < 8 else { return false }
        for _ in 0..<64 {
            left -= 1
            guard left > 0 else { return false }
            a = Self.withoutConst(a, types)
            b = Self.withoutConst(b, types)
            if a == b { return true }
            guard a != 0, b != 0, let kindA = types.info(a).kind, let kindB = types.info(b).kind
            else { return false }
            guard Self.meaning(a, kindA, types) == Self.meaning(b, kindB, types) else {
                return false
            }
            switch kindA.role {
            case .integer, .float, .forward, .alias, .composite, .enumeration:
                let nameA = types.word(a, 0)
                let nameB = types.word(b, 0)
                if nameA != 0 || nameB != 0 { return nameA == nameB }
                return types.word(a, 2) == types.word(b, 2)
                    && types.info(a).vlen == types.info(b).vlen
            case .array:
                guard types.word(a, 5) == types.word(b, 5) else { return false }
                (a, b) = (types.word(a, 3), types.word(b, 3))
            case .prototype:
                return samePrototype(a, b, types, depth: depth + 1)
            case .pointer, .qualifier, .typeTag, .function, .variable, .declarationTag:
                (a, b) = (types.word(a, 2), types.word(b, 2))
            // No prototype leads to such.
            case .section, .location, .locationPrototype, .locationSection, .unknown: return false
            }
        }
        return false
    }

    /// `const` does not matter to a caller, except in `const void *`, which accepts pointers that
    /// `void *` does not.
    private static func withoutConst(_ id: UInt32, _ types: borrowing TypeStore) -> UInt32 {
        var id = id
        for _ in 0..<64 where id != 0 {
            guard types.info(id).kind == .const, types.word(id, 2) != 0 else { break }
            id = types.word(id, 2)
        }
        return id
    }

    private mutating func samePrototype(
        _ a: UInt32, _ b: UInt32, _ types: borrowing TypeStore, depth: Int
    ) -> Bool {
        guard types.info(a).vlen == types.info(b).vlen,
            same(types.word(a, 2), types.word(b, 2), types, depth: depth)
        else { return false }
        for index in 0..<types.info(a).vlen {
            guard
                same(
                    types.word(a, 4 + 2 * index), types.word(b, 4 + 2 * index), types, depth: depth)
            else { return false }
        }
        return true
    }

    /// The kind, a FWD being of the kind it announces.
    private static func meaning(
        _ id: UInt32, _ kind: Kind, _ types: borrowing TypeStore
    ) -> Kind {
        switch kind {
        case .fwd: types.info(id).flag ? .union : .struct
        case .enum64: .enum
        default: kind
        }
    }
}
