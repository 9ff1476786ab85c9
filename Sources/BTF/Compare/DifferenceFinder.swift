// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Describes the first difference between two definitions with the same name.
struct DifferenceFinder {
    /// How far anonymous types are followed to name the member inside that differs.
    private static let maxDepth = 16

    private let a: CanonicalIndex
    private let b: CanonicalIndex
    private var meaningsA: TwinMeanings
    private var meaningsB: TwinMeanings

    init(_ left: ComparedSide, _ right: ComparedSide) {
        a = left.index
        b = right.index
        meaningsA = left.meanings
        meaningsB = right.meanings
    }

    /// "size: 8 in A, 16 in B", "member 3 `bar`: type `struct x *` in A, `void *` in B".
    mutating func firstDifference(_ x: UInt32, _ y: UInt32) -> String {
        difference(x, y, depth: 0) ?? "differs in a type deep inside"
    }

    private mutating func difference(_ x: UInt32, _ y: UInt32, depth: Int) -> String? {
        let kind = a.types.kind(x)
        let other = b.types.kind(y)
        if kind != other { return "kind: \(kind.word) in A, \(other.word) in B" }
        let nameA = a.types.name(x)
        let nameB = b.types.name(y)
        if nameA != nameB { return "name: `\(nameA)` in A, `\(nameB)` in B" }
        let infoA = a.types.info(x)
        let infoB = b.types.info(y)
        let words = FieldWords(kind)
        if infoA.flag != infoB.flag, !kind.isComposite {
            return both(words.flag, infoA.flag, infoB.flag)
        }
        if kind == .func, infoA.vlen != infoB.vlen {
            return both("linkage", linkageName(infoA.vlen), linkageName(infoB.vlen))
        }
        if !kind.shape.refersToType, a.types.word(x, 2) != b.types.word(y, 2) {
            return both("size", a.types.word(x, 2), b.types.word(y, 2))
        }
        if kind.shape.refersToType,
            let text = typeDifference(
                words.type, a.types.word(x, 2), b.types.word(y, 2), depth: depth)
        {
            return text
        }
        for index in 0..<kind.shape.fixed {
            let valueA = a.types.word(x, 3 + index)
            let valueB = b.types.word(y, 3 + index)
            if kind.shape.fixedTypes & (1 << index) != 0 {
                if let text = typeDifference(words.fixed(index), valueA, valueB, depth: depth) {
                    return text
                }
            } else if valueA != valueB {
                return fixedDifference(kind, words.fixed(index), valueA, valueB)
            }
        }
        if let text = elementDifference(x, y, words, depth: depth) { return text }
        return infoA.flag != infoB.flag ? both(words.flag, infoA.flag, infoB.flag) : nil
    }

    private mutating func elementDifference(
        _ x: UInt32, _ y: UInt32, _ words: FieldWords, depth: Int
    ) -> String? {
        let kind = a.types.kind(x)
        let shape = kind.shape
        let countA = a.types.count(x)
        let countB = b.types.count(y)
        for index in 0..<min(countA, countB) {
            let at = 3 + shape.fixed + index * shape.element
            func label(_ name: String) -> String {
                "\(words.element) \(index + 1)" + (name.isEmpty ? "" : " `\(name)`") + ": "
            }
            let nameA = elementName(a.types, x, at, kind)
            let nameB = elementName(b.types, y, at, kind)
            if nameA != nameB {
                return label("") + "`\(nameA)` in A, `\(nameB)` in B"
            }
            for word in 0..<shape.element {
                let valueA = a.types.word(x, at + word)
                let valueB = b.types.word(y, at + word)
                if shape.elementTypes & (1 << word) != 0 {
                    if let text = typeDifference("type", valueA, valueB, depth: depth) {
                        return label(nameA) + text
                    }
                } else if word == 0, shape.elementHasName {
                    continue
                } else if kind.isComposite {
                    if let text = placeDifference(x, y, valueA, valueB) {
                        return label(nameA) + text
                    }
                } else if valueA != valueB {
                    return label(nameA)
                        + valueDifference(kind, word, x, y, valueA, valueB)
                }
            }
        }
        if countA != countB {
            return both("number of \(words.element)s", countA, countB)
        }
        return nil
    }

    /// The bit offset and bitfield width of a member.
    private func placeDifference(
        _ x: UInt32, _ y: UInt32, _ rawA: UInt32, _ rawB: UInt32
    ) -> String? {
        let flagA = a.types.info(x).flag
        let flagB = b.types.info(y).flag
        let offsetA = flagA ? rawA & 0xff_ffff : rawA
        let offsetB = flagB ? rawB & 0xff_ffff : rawB
        if offsetA != offsetB { return both("bit offset", offsetA, offsetB) }
        let widthA = flagA ? rawA >> 24 : 0
        let widthB = flagB ? rawB >> 24 : 0
        return widthA == widthB ? nil : both("bitfield width", widthA, widthB)
    }

    private func valueDifference(
        _ kind: Kind, _ word: Int, _ x: UInt32, _ y: UInt32, _ valueA: UInt32, _ valueB: UInt32
    ) -> String {
        switch kind {
        case .datasec: return both(word == 1 ? "offset" : "size", valueA, valueB)
        case .locsec: return both("offset", valueA, valueB)
        case .enum where a.types.info(x).flag:
            return both("value", Int32(bitPattern: valueA), Int32(bitPattern: valueB))
        case .enum64:
            return both(word == 1 ? "low half of value" : "high half of value", valueA, valueB)
        default: return both("value", valueA, valueB)
        }
    }

    private func fixedDifference(
        _ kind: Kind, _ word: String, _ valueA: UInt32, _ valueB: UInt32
    ) -> String {
        switch kind {
        case .var: return both(word, linkageName(Int(valueA)), linkageName(Int(valueB)))
        case .declTag: return both(word, Int32(bitPattern: valueA), Int32(bitPattern: valueB))
        case .int:
            for (name, shift, mask) in [
                ("encoding", UInt32(24), UInt32(0xff)), ("bit offset", 16, 0xff),
                ("bits", 0, 0xffff),
            ] where valueA >> shift & mask != valueB >> shift & mask {
                return both(name, valueA >> shift & mask, valueB >> shift & mask)
            }
            return both(word, valueA, valueB)
        default: return both(word, valueA, valueB)
        }
    }

    /// nil when the two references mean the same.
    private mutating func typeDifference(
        _ word: String, _ x: UInt32, _ y: UInt32, depth: Int
    ) -> String? {
        if meaningsA.reference(x) == meaningsB.reference(y) { return nil }
        let textA = a.types.text(x)
        let textB = b.types.text(y)
        if textA != textB { return "\(word) `\(textA)` in A, `\(textB)` in B" }
        // The same words for different types: anonymous ones, or twins.
        if depth < Self.maxDepth, a.types.exists(x), b.types.exists(y),
            !a.types.isReferredToByName(x) || !b.types.isReferredToByName(y),
            let inner = difference(x, y, depth: depth + 1)
        {
            return "in `\(textA)`: " + inner
        }
        return "\(word) `\(textA)` in both, but that name is defined differently"
    }

    private func elementName(_ types: TypeTable, _ id: UInt32, _ at: Int, _ kind: Kind) -> String {
        if kind.shape.elementHasName {
            return String(systemBytes: types.string(at: types.word(id, at)))
        }
        let target = types.word(id, at)
        return types.exists(target) ? types.name(target) : ""
    }

    private func both<T>(_ word: String, _ x: T, _ y: T) -> String {
        "\(word) \(x) in A, \(y) in B"
    }

    private func linkageName(_ raw: Int) -> String {
        switch raw {
        case 0: "static"
        case 1: "global"
        case 2: "extern"
        default: "\(raw)"
        }
    }
}

/// What the parts of a record are called in messages.
private struct FieldWords {
    private let kind: Kind
    init(_ kind: Kind) { self.kind = kind }

    var flag: String { kind == .fwd ? "is a union:" : kind.isAnyEnum ? "signed:" : "kind flag:" }

    var type: String {
        switch kind.role {
        case .prototype: "return type"
        case .function: "prototype"
        case .declarationTag: "target"
        case .integer, .float, .pointer, .array, .composite, .enumeration, .forward, .alias,
            .qualifier, .typeTag, .variable, .section, .location, .locationPrototype,
            .locationSection, .unknown:
            "type"
        }
    }

    var element: String {
        switch kind.role {
        case .enumeration: "value"
        case .prototype, .locationPrototype: "parameter"
        case .location: "value"
        case .locationSection: "site"
        case .section: "entry"
        case .composite, .integer, .float, .pointer, .array, .forward, .alias, .qualifier,
            .typeTag, .function, .variable, .declarationTag, .unknown:
            "member"
        }
    }

    func fixed(_ index: Int) -> String {
        switch (kind, index) {
        case (.array, 0): "element type"
        case (.array, 1): "index type"
        case (.array, _): "number of elements"
        case (.var, _): "linkage"
        case (.declTag, _): "component"
        case (.locParam, _): "flags"
        default: "word \(index)"
        }
    }
}
