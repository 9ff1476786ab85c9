// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// BTF_MODIFIER chains longer than this are refused by the kernel.
private let maxChain = 32

/// Own types that lead back to themselves where C cannot, or over too many modifiers.
func findLoops(_ types: TypeTable) -> [(id: UInt32, rule: String, message: String)] {
    var found: [(id: UInt32, rule: String, message: String)] = []
    let chains = ModifierChains(types)
    for id in types.ownIDs where types.kind(id).isModifier {
        switch chains.length(id) {
        case nil: found.append((id, "C1", "Max chain length or cycle detected: a cycle"))
        case let length? where length > maxChain:
            found.append(
                (id, "C1", "Max chain length or cycle detected: \(length) modifiers in a row"))
        default: break
        }
    }
    for id in LoopSearch.loops(types, byValue: true) where chains.length(id) != nil {
        found.append((id, "R2", "Loop detected: it contains itself"))
    }
    for id in LoopSearch.loops(types, byValue: false) where chains.length(id) != nil {
        found.append((id, "R2", "Loop detected: pointers only to themselves"))
    }
    return found
}

/// For each own type, how many modifiers follow each other from it on.
private struct ModifierChains {
    private let types: TypeTable
    private static let cycle: Int32 = -1
    private static let unknown: Int32 = -2
    private static let open: Int32 = -3
    /// Own types only; `cycle` for leading into one as well.
    private var lengths: [Int32]

    init(_ types: TypeTable) {
        self.types = types
        lengths = Array(repeating: Self.unknown, count: types.ownIDs.count)
        var path: [UInt32] = []
        for start in types.ownIDs where types.kind(start).isModifier {
            var id = start
            path.removeAll(keepingCapacity: true)
            var length: Int32 = 0
            while types.exists(id), types.kind(id).isModifier {
                // The base is sound: its chains end soon.
                if id < types.firstID {
                    guard length < 64 else { break }
                    length += 1
                    id = types.word(id, 2)
                    continue
                }
                let known = lengths[Int(id - types.firstID)]
                if known == Self.open {
                    length = Self.cycle
                    break
                }
                if known != Self.unknown {
                    length = known < 0 ? Self.cycle : length + known
                    break
                }
                lengths[Int(id - types.firstID)] = Self.open
                path.append(id)
                id = types.word(id, 2)
            }
            for id in path.reversed() {
                if length >= 0 { length += 1 }
                lengths[Int(id - types.firstID)] = length
            }
        }
    }

    /// nil: a cycle.
    func length(_ id: UInt32) -> Int? {
        let length = lengths[Int(id - types.firstID)]
        if length == Self.cycle { return nil }
        return max(0, Int(length))  // not a modifier: still unknown
    }
}

/// Looks for own types at which a walk comes back to itself; one per loop that a depth-first walk
/// meets. The base is sound, and does not lead back.
private struct LoopSearch {
    private enum State: UInt8 { case new, open, done }

    private let types: TypeTable
    /// Walks what types contain; else, from pointer to pointer.
    private let byValue: Bool
    private var states: [State]

    static func loops(_ types: TypeTable, byValue: Bool) -> [UInt32] {
        var search = LoopSearch(types, byValue: byValue)
        return search.run()
    }

    private init(_ types: TypeTable, byValue: Bool) {
        self.types = types
        self.byValue = byValue
        let words = types.ownWords
        // Most types lead nowhere, and their walks have ended before they begin.
        states = types.ownStarts.map { start in
            switch (TypeInfo(rawValue: words[Int(start) + 1]).kind ?? .unknown).role {
            case .composite, .array: byValue ? .new : .done
            case .pointer: byValue ? .done : .new
            case .alias, .qualifier, .typeTag: .new
            default: .done
            }
        }
    }

    private mutating func run() -> [UInt32] {
        var stack: [(id: UInt32, next: Int)] = []
        var found: [UInt32] = []
        for root in types.ownIDs where states[place(root)] == .new {
            states[place(root)] = .open
            var (id, next) = (root, 0)
            while true {
                if let target = needed(id, &next) {
                    guard states[place(target)] == .new else {
                        found.append(id)
                        continue
                    }
                    states[place(target)] = .open
                    stack.append((id, next))
                    (id, next) = (target, 0)
                } else {
                    states[place(id)] = .done
                    guard let frame = stack.popLast() else { break }
                    (id, next) = frame
                }
            }
        }
        return found
    }

    /// The first own type from the `next`th on that `id` cannot be without and whose walk has not
    /// ended; `next` becomes the number after it.
    private func needed(_ id: UInt32, _ next: inout Int) -> UInt32? {
        let words = types.ownWords
        let start = Int(types.ownStarts[place(id)])
        let info = TypeInfo(rawValue: words[start + 1])
        let target: UInt32
        switch (info.kind ?? .unknown).role {
        case .composite where byValue:
            while next < info.vlen {
                let target = words[start + 4 + next * 3]
                next += 1
                if isOpen(target) { return target }
            }
            return nil
        case .array where byValue: target = words[start + 3]
        case .alias, .qualifier, .typeTag: target = words[start + 2]
        case .pointer where !byValue: target = words[start + 2]
        default: return nil
        }
        defer { next = 1 }
        return next == 0 && isOpen(target) ? target : nil
    }

    /// An own type whose walk has not ended.
    private func isOpen(_ id: UInt32) -> Bool {
        id >= types.firstID && id < types.typeCount && states[place(id)] != .done
    }

    private func place(_ id: UInt32) -> Int { Int(id - types.firstID) }
}
