// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What references to types mean, filled as anonymous types are written out.
struct Meanings {
    private let types: TypeTable
    /// Of the bases' types, by id - 1.
    private let low: [Digest]
    /// Of own types, by id - firstID.
    private(set) var own: [Digest]
    /// How the bases' meanings are to be read; nil: as they are.
    private let readLow: ((UInt32) -> Digest)?
    /// What was written out of the bases' types, if they are not read as they are: few of many.
    private var expandedLow: [UInt32: Digest] = [:]
    /// Own anonymous types in the order in which they were written out, those inside others first.
    private(set) var order: [UInt32] = []
    /// An anonymous type leads back to itself.
    private(set) var hasLoop = false

    /// - Parameters:
    ///   - low: those of the bases' types, by id - 1.
    ///   - own: those of own types, `unknown` where they are to be written out.
    ///   - readLow: used instead of `low`, by id.
    init(
        _ types: TypeTable, low: [Digest], own: [Digest], readLow: ((UInt32) -> Digest)? = nil
    ) {
        self.types = types
        self.low = low
        self.own = own
        self.readLow = readLow
    }

    /// What any reference means, void and dangling ids included.
    @inline(__always)
    func reference(_ id: UInt32) -> Digest {
        if id >= types.firstID {
            let place = Int(id - types.firstID)
            return place < own.count ? own[place] : .dangling
        }
        if id == 0 { return .void }
        return readLow == nil ? low[Int(id) - 1] : lowReference(id)
    }

    private func lowReference(_ id: UInt32) -> Digest {
        expandedLow[id] ?? readLow?(id) ?? .unknown
    }

    private mutating func store(_ meaning: Digest, for id: UInt32) {
        if id < types.firstID {
            expandedLow[id] = meaning
        } else {
            own[Int(id - types.firstID)] = meaning
        }
    }

    private mutating func finish(_ id: UInt32, _ meaning: Digest) {
        store(meaning, for: id)
        if id >= types.firstID { order.append(id) }
    }

    /// The definition of a type whose references are all written out.
    ///
    /// - Parameter name: its `nameDigest`.
    func definition(of id: UInt32, named name: Digest) -> Digest {
        types.definitionDigest(id, name: name) { reference($0) } ?? .loop
    }

    /// Writes out `root` and every anonymous type inside it. Children come first, on an explicit
    /// stack: hostile nesting costs memory in proportion to the file, never the thread's stack.
    mutating func expand(_ root: UInt32) {
        guard reference(root) == .unknown else { return }
        if let meaning = types.definitionDigest(root, name: nil, reference: { reference($0) }) {
            return finish(root, meaning)
        }
        var stack = [root]
        while let id = stack.last {
            let known = reference(id)
            if known != .unknown, known != .open {
                stack.removeLast()
                continue
            }
            if known == .unknown {
                store(.open, for: id)
                let depth = stack.count
                types.forEachReference(id) { target in
                    if reference(target) == .unknown { stack.append(target) }
                }
                if stack.count > depth { continue }
            }
            stack.removeLast()
            var leadsBack = false
            let meaning = types.definitionDigest(id, name: nil) { target in
                let meaning = reference(target)
                guard meaning == .open else { return meaning }
                leadsBack = true
                return .loop
            }
            if leadsBack { hasLoop = true }
            // Whatever it refers to is written out, or is being written.
            finish(id, meaning ?? .loop)
        }
    }
}
