// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Puts a distilled module onto a kernel's types, as the kernel does when it loads it (rules D).
struct KernelRelocation {
    let reader: KernelReader
    let split: KernelTypes
    let small: KernelTypes
    let smallReader: KernelReader
    let kernel: KernelTypes
    /// Of each type of the small base: the kernel's; 0 if none was found.
    private var ids: [UInt32]
    /// Offsets of names in the small base that the kernel has.
    private var names: Set<UInt32> = []
    /// Structs and unions that own types hold by value.
    private var embedded: Set<UInt32> = []

    init(_ reader: KernelReader, after smallReader: KernelReader, onto kernel: KernelTypes) {
        self.reader = reader
        self.smallReader = smallReader
        split = reader.types
        small = smallReader.types
        self.kernel = kernel
        ids = Array(repeating: 0, count: Int(smallReader.types.typeCount))
    }

    mutating func run() throws(Unaccepted) {
        try validate()
        try findEmbedded()
        try match()
        try checkReferences()
    }

    private func refuse(
        _ rule: String, type id: UInt32, _ words: String
    ) -> Unaccepted {
        smallReader.refusal(
            rule, type: id, lines: [words], offset: smallReader.offset(of: id))
    }

    /// D1 and D2.
    private func validate() throws(Unaccepted) {
        let taken: Set<UInt32> = [
            KernelKind.int, KernelKind.float, KernelKind.enum, KernelKind.struct, KernelKind.union,
            KernelKind.fwd,
        ]
        for id in small.firstID..<small.typeCount {
            let kind = small.kind(id)
            guard taken.contains(kind) else {
                throw refuse(
                    "D1", type: id,
                    "type [\(id)] in distilled based BTF has unexpected kind [\(kind)]")
            }
            guard small.nameOffset(id) != 0 else {
                throw refuse(
                    "D2", type: id,
                    "type [\(id)], kind [\(kind)] is invalid for distilled base BTF; it is anonymous"
                )
            }
        }
    }

    // MARK: Embedded structs

    private mutating func findEmbedded() throws(Unaccepted) {
        var known: Set<UInt32> = []
        for own in split.firstID..<split.typeCount where KernelKind.isComposite(split.kind(own)) {
            for member in 0..<split.vlen(own) {
                var id = split.word(own, 4 + member * 3)
                var steps = 0
                while id != 0, !known.contains(id) {
                    guard let kind = split.kindIfAny(id) else { throw stray(own, id) }
                    if KernelKind.isModifier(kind) {
                        known.insert(id)
                        id = split.third(id)
                    } else if kind == KernelKind.array {
                        known.insert(id)
                        id = split.word(id, 3)
                        steps += 1
                    } else {
                        if KernelKind.isComposite(kind), id < split.firstID { embedded.insert(id) }
                        break
                    }
                }
                if steps > 0, isCircle(from: split.word(own, 4 + member * 3)) {
                    throw Unaccepted(
                        answer: .unpredictable(
                            "type \(own) holds an array of itself: the kernel does not return"))
                }
            }
        }
    }

    /// Whether arrays and modifiers lead back to one of them.
    private func isCircle(from start: UInt32) -> Bool {
        func next(_ id: UInt32) -> UInt32? {
            guard let kind = split.kindIfAny(id), id != 0 else { return nil }
            if KernelKind.isModifier(kind) { return split.third(id) }
            return kind == KernelKind.array ? split.word(id, 3) : nil
        }
        var (slow, fast) = (start, start)
        while let one = next(fast), let two = next(one), let step = next(slow) {
            (slow, fast) = (step, two)
            if slow == fast { return true }
        }
        return false
    }

    private func stray(_ own: UInt32, _ id: UInt32) -> Unaccepted {
        Unaccepted(
            answer: .unpredictable(
                "type \(own) refers to type \(id), which does not exist: the kernel follows it all "
                    + "the same when it relocates the module"))
    }

    // MARK: Types

    private mutating func match() throws(Unaccepted) {
        var wanted: [ArraySlice<UInt8>: [UInt32]] = [:]
        for id in small.firstID..<small.typeCount {
            wanted[small.string(small.nameOffset(id)) ?? [], default: []].append(id)
        }
        // By size, the largest first, as the kernel meets them.
        for name in wanted.keys { wanted[name]?.sort { small.third($0) > small.third($1) } }
        // Void has a name as well, the empty one.
        wanted[[], default: []].append(0)
        let filter = NameFilter(wanted.keys)
        var composites: [UInt32: Int] = [:]
        var candidates: [(id: UInt32, wanted: [UInt32])] = []
        for id in 1..<max(kernel.typeCount, 1) {
            let kind = kernel.kind(id)
            guard Self.isFound(kind), kernel.nameOffset(id) != 0,
                filter.mayHave(kernel, kernel.nameOffset(id)),
                let name = kernel.string(kernel.nameOffset(id)), let own = wanted[name]
            else { continue }
            if KernelKind.isComposite(kind) {
                composites[kernel.nameOffset(id), default: 0] += 1
            }
            candidates.append((id, own))
        }
        for (id, own) in candidates {
            let kind = kernel.kind(id)
            let needsSize =
                KernelKind.isComposite(kind)
                ? composites[kernel.nameOffset(id), default: 0] > 1 : kind != KernelKind.fwd
            for wanted in own
            where !needsSize || (kernel.third(id) ^ small.third(wanted)) & 0x7fff_ffff == 0 {
                if wanted == 0 {
                    throw refuse(
                        "D9", type: 0,
                        "base BTF id [\(id)] maps to invalid distilled base BTF id [0]")
                }
                try map(wanted, to: id, kind)
            }
        }
        for id in small.firstID..<small.typeCount where ids[Int(id)] == 0 {
            throw refuse(
                "D6", type: id,
                "distilled base BTF type '\(shown(id))' [\(id)] is not mapped to base BTF id")
        }
    }

    private static func isFound(_ kind: UInt32) -> Bool {
        switch kind {
        case KernelKind.int, KernelKind.float, KernelKind.enum, KernelKind.enum64, KernelKind.fwd,
            KernelKind.struct, KernelKind.union:
            true
        default: false
        }
    }

    private func shown(_ id: UInt32) -> String {
        String(systemBytes: small.string(small.nameOffset(id)) ?? [])
    }

    private mutating func map(_ id: UInt32, to target: UInt32, _ kind: UInt32) throws(Unaccepted) {
        guard isMatch(id, target, kind) else { return }
        if ids[Int(id)] != 0 {
            throw refuse(
                "D7", type: id,
                "distilled base BTF type '\(shown(id))' [\(id)], size \(kernel.third(target)) has multiple candidates of the same size (ids [\(target), \(ids[Int(id)])]) in base BTF"
            )
        }
        ids[Int(id)] = target
        names.insert(small.nameOffset(id))
    }

    /// D3, D4 and D5, for types with the same name.
    private func isMatch(_ id: UInt32, _ target: UInt32, _ kind: UInt32) -> Bool {
        switch small.kind(id) {
        case KernelKind.fwd:
            switch kind {
            case KernelKind.fwd: return small.flag(id) == kernel.flag(target)
            case KernelKind.struct: return !kernel.flag(target)
            case KernelKind.union: return kernel.flag(target)
            default: return false
            }
        case KernelKind.int:
            return kind == KernelKind.int
                && (small.word(id, 3) ^ kernel.word(target, 3)) & 0xf00_0000 == 0
        case KernelKind.float: return kind == KernelKind.float
        case KernelKind.enum: return kind == KernelKind.enum || kind == KernelKind.enum64
        default: return !embedded.contains(id) || kernel.third(target) == small.third(id)
        }
    }

    // MARK: References

    private func checkReferences() throws(Unaccepted) {
        for id in split.firstID..<split.typeCount {
            var outside: UInt32?
            forEachReference(split, id) { if !split.exists($0), outside == nil { outside = $0 } }
            if let outside { throw stray(id, outside) }
        }
        for id in split.firstID..<split.typeCount {
            var missing: UInt32?
            forEachName(split, id) { offset in
                if missing == nil, offset != 0, offset < split.stringBase, !names.contains(offset) {
                    missing = offset
                }
            }
            if let missing {
                throw reader.refusal(
                    "D8", .notFound, type: id,
                    lines: ["string '' [offset \(missing)] is not mapped to base BTF"],
                    offset: reader.offset(of: id))
            }
        }
    }
}

/// Names that some set may have, by their first two bytes: most names of a kernel are ruled out
/// without a hash.
private struct NameFilter {
    private var pairs = [Bool](repeating: false, count: 1 << 16)

    init(_ names: some Sequence<ArraySlice<UInt8>>) {
        for name in names {
            pairs[Self.key(name.first ?? 0, name.dropFirst().first ?? 0)] = true
        }
    }

    private static func key(_ first: UInt8, _ second: UInt8) -> Int {
        Int(first) << 8 | Int(second)
    }

    func mayHave(_ types: KernelTypes, _ offset: UInt32) -> Bool {
        let at = Int(offset)
        guard at < types.strings.count else { return false }
        let first = types.strings[at]
        return pairs[Self.key(first, first == 0 ? 0 : types.strings[at + 1])]
    }
}

private func forEachReference(_ types: KernelTypes, _ id: UInt32, _ body: (UInt32) -> Void) {
    switch types.kind(id) {
    case KernelKind.int, KernelKind.float, KernelKind.enum, KernelKind.enum64, KernelKind.locParam:
        break
    case KernelKind.array:
        body(types.word(id, 3))
        body(types.word(id, 4))
    case KernelKind.struct, KernelKind.union:
        for index in 0..<types.vlen(id) { body(types.word(id, 4 + index * 3)) }
    case KernelKind.funcProto:
        body(types.third(id))
        for index in 0..<types.vlen(id) { body(types.word(id, 4 + index * 2)) }
    case KernelKind.datasec:
        for index in 0..<types.vlen(id) { body(types.word(id, 3 + index * 3)) }
    case KernelKind.locProto:
        for index in 0..<types.vlen(id) { body(types.word(id, 3 + index)) }
    case KernelKind.locsec:
        for index in 0..<types.vlen(id) {
            body(types.word(id, 3 + index * 3))
            body(types.word(id, 4 + index * 3))
        }
    default: body(types.third(id))
    }
}

private func forEachName(_ types: KernelTypes, _ id: UInt32, _ body: (UInt32) -> Void) {
    body(types.nameOffset(id))
    let step: Int
    switch types.kind(id) {
    case KernelKind.enum, KernelKind.funcProto: step = 2
    case KernelKind.enum64, KernelKind.struct, KernelKind.union: step = 3
    default: return
    }
    for index in 0..<types.vlen(id) { body(types.word(id, 3 + index * step)) }
}
