// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

// A unit that only declares a type, as the base does, is served by the base's pointers to it. When a later
// unit brings the definition, those pointers lead to the wrong type: the base cannot change.
extension TypeStore {
    /// Gives own types that refer to the base's pointers (and other types without a name of their own) to a
    /// declaration which was completed since, pointers of their own to the definition.
    ///
    /// - Returns: whether there were any.
    mutating func leaveOutdatedBase() -> Bool {
        guard !baseMerged.isEmpty else { return false }
        var outdated: [UInt32: Bool] = [:]
        var copies: [UInt32: UInt32] = [:]
        let count = starts.count
        for index in 0..<count where merged[index] == firstID + UInt32(index) {
            moveReferences(of: index, &outdated, &copies)
        }
        for id in 1..<firstID where servedByBase[Int(id)] != 0 && copies[id] == nil {
            // No own type refers to it, but some unit has it.
            if isOutdated(id, &outdated) { copies[id] = copyOfBase(id) }
        }
        // Copies refer to the base's types too, which may be outdated as well.
        var index = count
        while index < starts.count {
            moveReferences(of: index, &outdated, &copies)
            index += 1
        }
        guard starts.count > count else { return false }
        unitEnds.append(UInt32(truncatingIfNeeded: starts.count))
        return true
    }

    private mutating func moveReferences(
        of index: Int, _ outdated: inout [UInt32: Bool], _ copies: inout [UInt32: UInt32]
    ) {
        let start = Int(starts[index])
        var positions: [Int] = []
        forEachReference({ words[start + $0] }, { positions.append(start + $0) })
        for position in positions {
            let target = words[position]
            guard target != 0, target < firstID, isOutdated(target, &outdated) else { continue }
            let copy = copies[target] ?? copyOfBase(target)
            copies[target] = copy
            words[position] = copy
        }
    }

    /// Whether a type of the base that is merged by its words leads to a completed declaration, through
    /// nothing but such types.
    private func isOutdated(_ root: UInt32, _ known: inout [UInt32: Bool]) -> Bool {
        var stack = [root]
        var waiting: Set<UInt32> = [root]
        while let id = stack.last {
            guard known[id] == nil else {
                stack.removeLast()
                continue
            }
            guard isMergedByWords(info(id).kind) else {
                known[id] = false
                continue
            }
            var waits = false
            var found = false
            let start = Int(baseStarts[Int(id)])
            forEachReference {
                baseWords[start + $0]
            } _: { (at: Int) in
                let target = baseWords[start + at]
                guard target != 0, target < firstID else { return }
                if baseMerged[target] != nil || known[target] == true {
                    found = true
                } else if known[target] == nil, waiting.insert(target).inserted {
                    stack.append(target)
                    waits = true
                }
            }
            if found { known[id] = true } else if !waits { known[id] = false }
        }
        return known[root] ?? false
    }

    private mutating func copyOfBase(_ id: UInt32) -> UInt32 {
        let copy = firstID + UInt32(truncatingIfNeeded: starts.count)
        let start = Int(baseStarts[Int(id)])
        let info = info(id)
        starts.append(UInt32(truncatingIfNeeded: words.count))
        for at in start..<start + (info.kind?.shape.words(vlen: info.vlen) ?? 3) {
            words.append(baseWords[at])
        }
        merged.append(copy)
        places.append(UInt32(truncatingIfNeeded: starts.count))
        table.append(hash: nil)
        return copy
    }
}
