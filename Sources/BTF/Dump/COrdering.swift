// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Finds which definitions C needs at top level before a type can be used, and in which order.
///
/// A type contained by value must be defined before its container; behind a pointer a named
/// struct or union only has to be declared. So a walk from the wanted type through everything it
/// contains queues each named type after all that it needs. A typedef reached through a pointer is
/// put off as long as its target is only declared: it may stand for a struct that uses it.
///
/// The walk keeps its own stack; `CBudget` ends what hostile data would make endless.
struct COrdering: ~Copyable {
    private enum State: UInt8 { case new, open, done }

    /// A type being walked.
    private struct Frame {
        let id: UInt32
        /// A pointer lies between the container and this type.
        let throughPointer: Bool
        /// Next reference to walk.
        var next = 0
        /// Something walked so far must be defined, not only declared.
        var strong = false
    }

    private let inPlace = InPlace()
    private let types: TypeTable
    private var states: Arena<State>
    /// Types that some other type names: anonymous enums among these are written in place.
    private var referenced: Arena<Bool>
    private var stack = Arena<Frame>()
    private(set) var queue = Arena<UInt32>()

    init(_ types: TypeTable) {
        self.types = types
        states = Arena(repeating: .new, count: Int(types.typeCount))
        referenced = Arena(repeating: false, count: Int(types.typeCount))
        for id in 1..<max(types.typeCount, 1) {
            // bpftool does not count what functions return.
            var skip = types.kind(id) == .funcProto
            types.forEachReference(id) { target in
                if !skip, types.exists(target) { referenced[Int(target)] = true }
                skip = false
            }
        }
    }

    /// Fills `queue` with what has to be defined for `root`, itself last.
    mutating func order(_ root: UInt32, _ budget: inout CBudget) throws(BTFError) {
        queue.removeAll()
        stack.removeAll()
        if states[Int(root)] == .done { return }
        _ = try enter(root, throughPointer: false)
        /// What the reference just walked turned out to be.
        var strong: Bool?
        while !stack.isEmpty {
            try budget.spend()
            let top = stack.count - 1
            let frame = stack[top]
            if let result = strong {
                stack[top].strong = frame.strong || result
                stack[top].next += 1
                strong = nil
            }
            if let target = reference(of: stack[top]) {
                let behind = frame.throughPointer && !types.kind(frame.id).isComposite
                strong = try enter(
                    target.id, throughPointer: target.isPointer || behind && !target.isElement)
            } else {
                let frame = stack[top]
                stack.truncate(to: top)
                strong = leave(frame)
            }
        }
    }

    /// The next reference that a frame has to walk.
    private func reference(of frame: Frame) -> (id: UInt32, isPointer: Bool, isElement: Bool)? {
        let id = frame.id
        switch types.kind(id).role {
        case .pointer:
            return frame.next == 0 ? (types.word(id, 2), true, false) : nil
        case .array:
            return frame.next == 0 ? (types.word(id, 3), false, true) : nil
        case .composite:
            return frame.next < types.count(id)
                ? (types.word(id, 4 + frame.next * 3), false, true) : nil
        case .prototype:
            if frame.next == 0 { return (types.word(id, 2), false, false) }
            return frame.next <= types.count(id)
                ? (types.word(id, 2 + frame.next * 2), false, false) : nil
        case .alias, .qualifier, .typeTag:
            return frame.next == 0 ? (types.word(id, 2), false, false) : nil
        // `enter` walks none of these.
        case .integer, .float, .enumeration, .forward, .function, .variable, .section,
            .declarationTag, .location, .locationPrototype, .locationSection, .unknown:
            return nil
        }
    }

    /// Starts a type. Returns the answer if it is known at once (true: it is or will be defined
    /// before its user), or nil if a frame was pushed.
    private mutating func enter(_ id: UInt32, throughPointer: Bool) throws(BTFError) -> Bool? {
        if id == 0 { return true }
        guard types.exists(id) else {
            throw cError(
                stack.isEmpty ? id : stack[stack.count - 1].id,
                "refers to type \(id), which does not exist")
        }
        let kind = types.kind(id)
        switch states[Int(id)] {
        case .done: return true
        case .open:
            if kind.isComposite, throughPointer, types.isNamed(id) { return false }
            throw cError(id, "\(kind.word) contains itself")
        case .new: break
        }
        switch kind.role {
        case .integer, .float, .function, .variable, .section, .declarationTag, .location,
            .locationPrototype, .locationSection, .unknown:
            states[Int(id)] = .done
            return false
        case .enumeration, .forward:
            if types.isNamed(id) || !referenced[Int(id)] { queue.append(id) }
            states[Int(id)] = .done
            return true
        case .composite:
            if throughPointer, types.isNamed(id) { return false }
            states[Int(id)] = .open
        case .pointer, .array, .alias, .qualifier, .typeTag, .prototype: break
        }
        // A path may pass a type twice, behind a pointer and not; more often is a loop.
        guard stack.count <= 2 * Int(types.typeCount) else {
            throw cError(id, "\(kind.word) is part of a loop of types without a name")
        }
        stack.append(Frame(id: id, throughPointer: throughPointer))
        return nil
    }

    private mutating func leave(_ frame: Frame) -> Bool {
        switch types.kind(frame.id) {
        case .ptr:
            states[Int(frame.id)] = .done
        case .struct, .union:
            if types.isNamed(frame.id) { queue.append(frame.id) }
            states[Int(frame.id)] = .done
            return true
        case .typedef:
            if frame.throughPointer, !frame.strong { return false }
            queue.append(frame.id)
            states[Int(frame.id)] = .done
            return true
        default: break
        }
        return frame.strong
    }
}

/// The work that one C dump may do. Anonymous types are written where they are used, so a file of n
/// types can ask for 2^n of them.
struct CBudget {
    private var left: Int

    /// vmlinux 6.1 spends less than one step per word of its records.
    init(_ types: TypeTable) {
        left = 1_000_000 + 64 * types.wordCount
    }

    mutating func spend(_ steps: Int = 1) throws(BTFError) {
        left -= steps
        if left < 0 {
            throw BTFError(
                offset: 0, "anonymous types nest so often that their C would never end")
        }
    }
}

func cError(_ id: UInt32, _ message: String) -> BTFError {
    BTFError(offset: 0, "type \(id): " + message + "; C cannot express that")
}
