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
        var completed = Outdated(outgrown.replaced, of: Int(firstID))
        var copies: [UInt32: UInt32] = [:]
        let count = stored.starts.count
        for index in 0..<count where stored.merged[index] == firstID + UInt32(index) {
            moveReferences(of: index, &completed, &copies)
        }
        for id in outgrown.served.array.sorted() where copies[id] == nil {
            // No own type refers to it, but some unit has it.
            if isOutdated(id, &completed) { copies[id] = copyOfBase(id) }
        }
        // Copies also refer to the base's types, which may be outdated as well; and where the
        // base's struct leads to the declaration, the unit with the copied type means the own
        // struct with the same name.
        var replaced = completed
        replaced.forget()
        for (own, base) in outgrown.nearMisses where base < firstID && resolve(own) == own {
            replaced.replace(base, by: own)
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
        private var replaced: [UInt32: UInt32] = [:]
        /// By id of the base.
        private var marks: [UInt8]

        private enum Mark {
            static let replaced: UInt8 = 1
            static let known: UInt8 = 2
            static let outdated: UInt8 = 4
        }

        /// - Parameter count: of the base's ids.
        init(_ replaced: [UInt32: UInt32], of count: Int) {
            marks = Array(repeating: 0, count: count)
            for (id, own) in replaced { replace(id, by: own) }
        }

        mutating func replace(_ id: UInt32, by own: UInt32) {
            replaced[id] = own
            marks[Int(id)] |= Mark.replaced
        }

        func isReplaced(_ id: UInt32) -> Bool { marks[Int(id)] & Mark.replaced != 0 }

        func own(_ id: UInt32) -> UInt32? { isReplaced(id) ? replaced[id] : nil }

        func isKnown(_ id: UInt32) -> Bool { marks[Int(id)] & Mark.known != 0 }

        func isOutdated(_ id: UInt32) -> Bool { marks[Int(id)] & Mark.outdated != 0 }

        mutating func note(_ id: UInt32, isOutdated: Bool) {
            marks[Int(id)] |= isOutdated ? Mark.known | Mark.outdated : Mark.known
        }

        /// What leads to a replaced type is not known any more.
        mutating func forget() {
            for index in marks.indices { marks[index] &= Mark.replaced }
        }
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
            if let own = outdated.own(target) {
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
        if outdated.isKnown(root) { return outdated.isOutdated(root) }
        if let answer = isOutdatedByTargets(root, &outdated) {
            outdated.note(root, isOutdated: answer)
            return answer
        }
        var stack = [root]
        var waiting: Set<UInt32> = [root]
        while let id = stack.last {
            guard !outdated.isKnown(id) else {
                stack.removeLast()
                continue
            }
            guard isMergedByWords(info(id).kind) else {
                outdated.note(id, isOutdated: false)
                continue
            }
            var waits = false
            var found = false
            let start = Int(base.starts[Int(id)])
            info(id).forEachReference { (at: Int) in
                let target = base.words[start + at]
                guard target != 0, target < firstID else { return }
                if outdated.isReplaced(target) || outdated.isOutdated(target) {
                    found = true
                } else if !outdated.isKnown(target), waiting.insert(target).inserted {
                    stack.append(target)
                    waits = true
                }
            }
            if found || !waits { outdated.note(id, isOutdated: found) }
        }
        return outdated.isOutdated(root)
    }

    /// The same where what the type refers to is enough to tell: nil where it is not.
    private func isOutdatedByTargets(_ id: UInt32, _ outdated: inout Outdated) -> Bool? {
        guard isMergedByWords(info(id).kind) else { return false }
        var (found, isUnknown) = (false, false)
        let start = Int(base.starts[Int(id)])
        info(id).forEachReference { (at: Int) in
            let target = base.words[start + at]
            guard target != 0, target < firstID else { return }
            if outdated.isReplaced(target) || outdated.isOutdated(target) {
                found = true
            } else if !outdated.isKnown(target) {
                if isMergedByWords(info(target).kind) {
                    isUnknown = true
                } else {
                    outdated.note(target, isOutdated: false)
                }
            }
        }
        return found ? true : isUnknown ? nil : false
    }

    private mutating func copyOfBase(_ id: UInt32) -> UInt32 {
        let copy = firstID + UInt32(truncatingIfNeeded: stored.starts.count)
        let start = Int(base.starts[Int(id)])
        stored.append(start..<start + info(id).recordWords, of: base.words, as: copy)
        return copy
    }
}
