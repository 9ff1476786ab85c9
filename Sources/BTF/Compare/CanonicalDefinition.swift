// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

// The canonical definition of a type is its record with each string offset replaced by the string
// and each type id replaced by what the reference means:
//
//     named type       kind and name
//     anonymous type   its own canonical definition, written out in place
//
// Named types are not followed, so definitions are finite although types form cycles. Ids, string
// offsets, order, header and byte order do not enter. A name that stands for several different
// definitions in a file ("twins") would hide which one is meant: `TwinMeanings` adds it.

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

    /// The digest of the definition of `id`.
    ///
    /// - Parameters:
    ///   - name: its `nameDigest`, if references to it say that; nil to use the string.
    ///   - reference: what each of its references means.
    /// - Returns: nil if the meaning of a reference is unknown.
    @inline(__always)
    func definitionDigest(
        _ id: UInt32, name: Digest?, reference: (UInt32) -> Digest
    ) -> Digest? {
        withRecord(id) { words, start in
            var builder = DigestBuilder()
            var isKnown = true
            func add(_ id: UInt32) {
                let meaning = reference(id)
                if meaning == .unknown { isKnown = false }
                builder.add(meaning)
            }
            let info = TypeInfo(rawValue: words[start + 1])
            let shape = (info.kind ?? .unknown).shape
            builder.add(UInt64(info.rawValue) | (name == nil ? 0 : 1 << 32))
            if let name { builder.add(name) } else { builder.addString(words[start], of: self) }
            if shape.refersToType { add(words[start + 2]) } else { builder.add(words[start + 2]) }
            for index in 0..<shape.fixed {
                let value = words[start + 3 + index]
                if shape.fixedTypes & (1 << index) != 0 { add(value) } else { builder.add(value) }
            }
            guard shape.element > 0 else { return isKnown ? builder.value : nil }
            var at = start + 3 + shape.fixed
            for _ in 0..<info.vlen where isKnown {
                for index in 0..<shape.element {
                    let value = words[at + index]
                    if shape.elementTypes & (1 << index) != 0 {
                        add(value)
                    } else if index == 0, shape.elementHasName {
                        builder.addString(value, of: self)
                    } else {
                        builder.add(value)
                    }
                }
                at += shape.element
            }
            return isKnown ? builder.value : nil
        }
    }
}
