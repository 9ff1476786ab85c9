// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// BTF_MODIFIER chains longer than this are refused by the kernel.
private let maxChain = 32

/// Own types that lead back to themselves where C cannot, or over too many modifiers.
func findLoops(_ types: TypeTable) -> [(id: UInt32, rule: String, message: String)] {
    var found: [(id: UInt32, rule: String, message: String)] = []
    let chains = ModifierChains(types)
    for id in types.ownIDs {
        switch chains.length(id) {
        case nil: found.append((id, "C1", "Max chain length or cycle detected: a cycle"))
        case let length? where length > maxChain:
            found.append(
                (id, "C1", "Max chain length or cycle detected: \(length) modifiers in a row"))
        default: break
        }
    }
    for id in containmentLoops(types) where chains.length(id) != nil {
        let text = types.kind(id) == .ptr ? "pointers to themselves" : "it contains itself"
        found.append((id, "R2", "Loop detected: \(text)"))
    }
    return found
}

/// For each own type, how many modifiers follow each other from it on.
private struct ModifierChains {
    private let types: TypeTable
    /// Own types only; -1: part of a cycle or leading into one.
    private var lengths: [Int32]

    init(_ types: TypeTable) {
        self.types = types
        let unknown: Int32 = -2
        let open: Int32 = -3
        lengths = Array(repeating: unknown, count: types.ownIDs.count)
        var path: [UInt32] = []
        for start in types.ownIDs {
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
                if known == open {
                    length = -1
                    break
                }
                if known != unknown {
                    length = known < 0 ? -1 : length + known
                    break
                }
                lengths[Int(id - types.firstID)] = open
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
        return length < 0 ? nil : Int(length)
    }
}

/// Own types at which a walk by value, or from pointer to pointer, comes back to itself; one per loop
/// that a depth-first walk meets.
private func containmentLoops(_ types: TypeTable) -> [UInt32] {
    enum State: UInt8 { case new, open, done }
    var states = [State](repeating: .new, count: Int(types.typeCount))
    var stack: [(id: UInt32, next: Int)] = []
    var loops: [UInt32] = []

    /// The `next`th type that `id` cannot be without.
    func needed(_ id: UInt32, _ next: Int) -> UInt32? {
        switch types.kind(id) {
        case .typedef, .const, .volatile, .restrict, .typeTag, .var:
            return next == 0 ? types.word(id, 2) : nil
        case .ptr:
            guard next == 0 else { return nil }
            let target = types.word(id, 2)
            guard let kind = types.kindIfAny(target) else { return nil }
            return kind == .ptr || kind.isModifier ? target : nil
        case .array: return next == 0 ? types.word(id, 3) : nil
        case .struct, .union:
            return next < types.count(id) ? types.word(id, 4 + next * 3) : nil
        default: return nil
        }
    }

    for root in types.ownIDs where states[Int(root)] == .new {
        states[Int(root)] = .open
        stack.append((root, 0))
        while let frame = stack.last {
            guard let target = needed(frame.id, frame.next) else {
                states[Int(frame.id)] = .done
                stack.removeLast()
                continue
            }
            stack[stack.count - 1].next += 1
            guard types.exists(target) else { continue }
            switch states[Int(target)] {
            case .done: break
            case .open: loops.append(frame.id < types.firstID ? root : frame.id)
            case .new:
                states[Int(target)] = .open
                stack.append((target, 0))
            }
        }
    }
    return loops
}
