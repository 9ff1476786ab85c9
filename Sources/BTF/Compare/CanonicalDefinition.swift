// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// The canonical definition of a type is its record with each string offset replaced by the string
// and each type id replaced by what the reference means:
//
//     named type       kind and name
//     anonymous type   its own canonical definition, written out in place
//
// Named types are not followed, so definitions are finite although types form cycles. Ids, string
// offsets, order, header and byte order do not enter. A name that stands for several different
// definitions in a file ("twins") would hide which one is meant: `TwinDefinition` adds it.

extension Kind {
    /// References to this kind say kind and name, when there is a name.
    var isReferredToByName: Bool {
        switch row.name {
        case .any, .identifier, .optionalIdentifier, .section: true
        // The text of a tag is what it says, and no name.
        case .none, .text: false
        }
    }
}

extension TypeTable {
    /// A reference to this type says kind and name instead of its definition.
    func isReferredToByName(_ id: UInt32) -> Bool { kind(id).isReferredToByName && isNamed(id) }

    /// What kind and name say. FWD has two meanings for one name.
    func nameDigest(_ id: UInt32) -> Digest {
        var builder = DigestBuilder()
        let info = info(id)
        builder.add(UInt32(info.rawKind) | (info.kind == .fwd && info.flag ? 0x100 : 0))
        builder.addString(nameOffset(id), of: self)
        return builder.value
    }

    /// The digest of the definition of `id`, given what each of its references means.
    func definitionDigest(_ id: UInt32, reference: (UInt32) -> Digest) -> Digest {
        var builder = DigestBuilder()
        let shape = kind(id).shape
        builder.add(info(id).rawValue)
        builder.addString(nameOffset(id), of: self)
        if shape.refersToType {
            builder.add(reference(word(id, 2)))
        } else {
            builder.add(word(id, 2))
        }
        for index in 0..<shape.fixed {
            let value = word(id, 3 + index)
            if shape.fixedTypes & (1 << index) != 0 {
                builder.add(reference(value))
            } else {
                builder.add(value)
            }
        }
        var at = 3 + shape.fixed
        for _ in 0..<count(id) {
            for index in 0..<shape.element {
                let value = word(id, at + index)
                if shape.elementTypes & (1 << index) != 0 {
                    builder.add(reference(value))
                } else if index == 0, shape.elementHasName {
                    builder.addString(value, of: self)
                } else {
                    builder.add(value)
                }
            }
            at += shape.element
        }
        return builder.value
    }
}

/// Meanings of references, filled as types are written out.
protocol ReferenceMeanings {
    /// The meaning of a reference to an existing type; nil if it is anonymous and not expanded yet.
    func meaning(_ id: UInt32) -> Digest?
    mutating func store(_ meaning: Digest, for id: UInt32)
}

extension ReferenceMeanings {
    /// What any reference means, void and dangling ids included, once `expand` has seen it.
    func reference(_ id: UInt32, in types: TypeTable) -> Digest {
        if id == 0 { return .void }
        guard types.exists(id) else { return .dangling }
        return meaning(id) ?? .loop
    }

    /// Computes the meaning of `root` and of every anonymous type inside it. Children come first,
    /// on an explicit stack: hostile nesting costs memory in proportion to the file, never the
    /// thread's stack.
    mutating func expand(_ root: UInt32, in types: TypeTable) {
        var stack = [root]
        var open: Set<UInt32> = []
        while let id = stack.last {
            if meaning(id) != nil {
                stack.removeLast()
                continue
            }
            if open.insert(id).inserted {
                let depth = stack.count
                types.forEachReference(id) { target in
                    if types.exists(target), meaning(target) == nil, !open.contains(target) {
                        stack.append(target)
                    }
                }
                if stack.count > depth { continue }
            }
            stack.removeLast()
            store(types.definitionDigest(id) { reference($0, in: types) }, for: id)
        }
    }
}
