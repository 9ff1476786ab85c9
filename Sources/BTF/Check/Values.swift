// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// What values of a type are, for files that are not known to be sound.

extension TypeTable {
    /// Longer chains do not occur: kernels accept 32 modifiers in a row.
    private static var maxChain: Int { 64 }

    /// The type behind typedefs and qualifiers: 0 for void, nil when it dangles or loops.
    func resolve(_ start: UInt32) -> UInt32? {
        var id = start
        for _ in 0..<Self.maxChain {
            guard exists(id) else { return id == 0 ? 0 : nil }
            guard kind(id).isModifier else { return id }
            id = word(id, 2)
        }
        return nil
    }

    /// Whether a value can have the type `id`. Unknown ones, and those that lead nowhere, are
    /// reported elsewhere and count as such.
    func isSized(_ id: UInt32) -> Bool { resolve(id).map(isSized(resolved:)) ?? true }

    /// - Parameter target: what `resolve` returned.
    func isSized(resolved target: UInt32) -> Bool {
        guard target != 0 else { return false }
        switch kind(target).role {
        case .forward, .function, .prototype, .variable, .section, .declarationTag, .location,
            .locationPrototype, .locationSection:
            return false
        case .integer, .float, .pointer, .array, .composite, .enumeration, .alias, .qualifier,
            .typeTag, .unknown:
            return true
        }
    }

    /// The size of a value of the type `id` in bytes; 0 for what has none, for chains without an
    /// end, and for arrays beyond 32 bits.
    ///
    /// - Parameter pointerSize: in bytes.
    func size(of id: UInt32, pointerSize: UInt32) -> UInt64 {
        var id = id
        var count: UInt64 = 1
        for _ in 0..<Self.maxChain {
            guard exists(id) else { return 0 }
            let size: UInt64
            switch kind(id).role {
            case .integer, .float, .enumeration, .composite: size = UInt64(word(id, 2))
            case .pointer: size = UInt64(pointerSize)
            case .alias, .qualifier, .typeTag:
                id = word(id, 2)
                continue
            case .array:
                count *= UInt64(word(id, 5))
                guard count <= UInt64(UInt32.max) else { return 0 }
                id = word(id, 3)
                continue
            case .forward, .function, .prototype, .variable, .section, .declarationTag, .location,
                .locationPrototype, .locationSection, .unknown:
                return 0
            }
            return size * count <= UInt64(UInt32.max) ? size * count : 0
        }
        return 0
    }
}
