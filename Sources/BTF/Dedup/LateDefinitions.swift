// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

// A unit that only declares a type, as the base does, uses the base's pointers to it. When a later
// unit adds the definition, those pointers lead to the wrong type: the base cannot change.
extension TypeStore {
    /// Finds own types that refer to the base's pointers (or other types without a name of their
    /// own) to a declaration that has been completed since, and gives them pointers of their own to
    /// the definition.
    ///
    /// - Returns: whether there were any.
    mutating func leaveOutdatedBase() -> Bool {
        guard !outgrown.isEmpty else { return false }
        var completed = Outdated(replaced: outgrown.replaced)
        var copies: [UInt32: UInt32] = [:]
        let count = stored.starts.count
        for index in 0..<count where stored.merged[index] == firstID + UInt32(index) {
            moveReferences(of: index, &completed, &copies)
        }
        for id in 1..<firstID where outgrown.isServed(id) && copies[id] == nil {
            // No own type refers to it, but some unit has it.
            if isOutdated(id, &completed) { copies[id] = copyOfBase(id) }
        }
        // Copies also refer to the base's types, which may be outdated as well; and where the
        // base's struct leads to the declaration, the unit with the copied type means the own
        // struct with the same name.
        var replaced = completed
        replaced.known.removeAll()
        for (own, base) in outgrown.nearMisses where resolve(own) == own {
            replaced.replaced[base] = own
        }
        var index = count
        while index < stored.starts.count {
            moveReferences(of: index, &replaced, &copies)
            index += 1
        }
        guard stored.starts.count > count else { return false }
        outgrown.copies = copies
        stored.endUnit()
        return true
    }

    /// Types of the base that own types have replaced, and which other base types lead to them.
    private struct Outdated {
        var replaced: [UInt32: UInt32]
        var known: [UInt32: Bool] = [:]
    }

    private mutating func moveReferences(
        of index: Int, _ outdated: inout Outdated, _ copies: inout [UInt32: UInt32]
    ) {
        let start = Int(stored.starts[index])
        var positions: [Int] = []
        TypeInfo(rawValue: stored.words[start + 1]).forEachReference {
            positions.append(start + $0)
        }
        for position in positions {
            let target = stored.words[position]
            guard target != 0, target < firstID else { continue }
            if let own = outdated.replaced[target] {
                stored.refer(at: position, to: own)
                continue
            }
            guard isOutdated(target, &outdated) else { continue }
            let copy = copies[target] ?? copyOfBase(target)
            copies[target] = copy
            stored.refer(at: position, to: copy)
        }
    }

    /// Whether a base type that is merged by its words leads to a replaced type through nothing but
    /// such types.
    private func isOutdated(_ root: UInt32, _ outdated: inout Outdated) -> Bool {
        var stack = [root]
        var waiting: Set<UInt32> = [root]
        while let id = stack.last {
            guard outdated.known[id] == nil else {
                stack.removeLast()
                continue
            }
            guard isMergedByWords(info(id).kind) else {
                outdated.known[id] = false
                continue
            }
            var waits = false
            var found = false
            let start = Int(base.starts[Int(id)])
            info(id).forEachReference { (at: Int) in
                let target = base.words[start + at]
                guard target != 0, target < firstID else { return }
                if outdated.replaced[target] != nil || outdated.known[target] == true {
                    found = true
                } else if outdated.known[target] == nil, waiting.insert(target).inserted {
                    stack.append(target)
                    waits = true
                }
            }
            if found { outdated.known[id] = true } else if !waits { outdated.known[id] = false }
        }
        return outdated.known[root] ?? false
    }

    private mutating func copyOfBase(_ id: UInt32) -> UInt32 {
        let copy = firstID + UInt32(truncatingIfNeeded: stored.starts.count)
        let start = Int(base.starts[Int(id)])
        stored.append(start..<start + info(id).recordWords, of: base.words, as: copy)
        return copy
    }
}
