// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Hashes of the names in a type, to order types that are called the same. The members of a struct
/// count only for the struct itself, those of functions not at all.
struct NameHashes {
    private let types: TypeTable
    // By id * 2, plus 1 with members.
    private var states: [State]
    private var values: [UInt64]
    private var stack: [Int] = []

    private enum State: UInt8 { case new, open, known }

    init(_ types: TypeTable) {
        self.types = types
        let count = Int(types.typeCount) * 2
        states = Array(repeating: .new, count: count)
        values = Array(repeating: 0, count: count)
    }

    mutating func hash(_ id: UInt32) -> UInt64 {
        let root = Int(id) * 2 + 1
        if states[root] == .known { return values[root] }
        stack.append(root)
        while let node = stack.last {
            if states[node] == .new {
                states[node] = .open
                let depth = stack.count
                pushParts(of: node)
                if stack.count > depth { continue }
            }
            stack.removeLast()
            if states[node] != .known {
                values[node] = compute(node)
                states[node] = .known
            }
        }
        return values[root]
    }

    private func node(_ id: UInt32, _ members: Bool) -> Int { Int(id) * 2 + (members ? 1 : 0) }

    /// Onto the stack, those that were not met before.
    private mutating func pushParts(of node: Int) {
        let id = UInt32(node / 2)
        let members = node % 2 == 1
        guard types.exists(id) else { return }
        switch types.kind(id).role {
        case .composite:
            guard members else { return }
            for index in 0..<types.count(id) { push(types.word(id, 4 + index * 3), false) }
        case .pointer, .qualifier, .alias, .typeTag: push(types.word(id, 2), members)
        case .array: push(types.word(id, 3), members)
        case .integer, .float, .enumeration, .forward, .function, .prototype, .variable, .section,
            .declarationTag, .location, .locationPrototype, .locationSection, .unknown:
            break
        }
    }

    private mutating func push(_ target: UInt32, _ members: Bool) {
        guard types.exists(target) else { return }
        let part = node(target, members)
        if states[part] == .new { stack.append(part) }
    }

    private func part(_ target: UInt32, _ members: Bool) -> UInt64 {
        guard types.exists(target) else { return 0 }
        let part = node(target, members)
        return states[part] == .known ? values[part] : 0
    }

    private func compute(_ node: Int) -> UInt64 {
        let id = UInt32(node / 2)
        let members = node % 2 == 1
        var sum = NameSum()
        sum.add(name: types.nameOffset(id), types)
        switch types.kind(id).role {
        case .enumeration:
            let words = types.kind(id).shape.element
            for index in 0..<types.count(id) {
                sum.add(name: types.word(id, 3 + index * words), types)
            }
        case .composite:
            guard members else { break }
            for index in 0..<types.count(id) {
                sum.add(name: types.word(id, 3 + index * 3), types)
                sum.add(part(types.word(id, 4 + index * 3), false))
            }
        case .pointer, .qualifier, .alias, .typeTag:
            sum.add(part(types.word(id, 2), members))
        case .array:
            sum.add(UInt64(types.word(id, 5)))
            sum.add(part(types.word(id, 3), members))
        case .integer, .float, .forward, .function, .prototype, .variable, .section,
            .declarationTag, .location, .locationPrototype, .locationSection, .unknown:
            break
        }
        return sum.value
    }
}

/// A sum that depends on order, of names and numbers; it wraps around.
private struct NameSum {
    var value: UInt64 = 0

    mutating func add(_ number: UInt64) { value = value &* 31 &+ number }

    mutating func add(name offset: UInt32, _ types: TypeTable) {
        guard offset != 0 else { return }
        var hash: UInt64 = 0
        for byte in types.string(at: offset) {
            hash = hash &* 31 &+ UInt64(bitPattern: Int64(Int8(bitPattern: byte)))
        }
        add(hash)
    }
}
