// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Where a kind keeps its words. Walking, renumbering, byte swapping and checking are all driven by
/// this; nothing else in the module knows record sizes.
///
/// A record is `name_off, info, size/type`, then `fixed` words, then `vlen` elements of `element`
/// words each. Every field of BTF is one 32-bit word, so swapping byte order is swapping words.
package struct KindShape: Sendable {
    /// Words between the common three and the elements.
    package var fixed = 0
    /// Words per element; 0: the kind has no elements, whatever its `vlen` is.
    package var element = 0
    /// The third common word is a type id (else a size, or unused).
    package var refersToType = false
    /// Bit set over the fixed words: which hold a type id.
    package var fixedTypes: UInt8 = 0
    /// Bit set over an element's words: which hold a type id.
    package var elementTypes: UInt8 = 0
    /// An element's first word is a string offset.
    package var elementHasName = false

    /// Words of a whole record with `vlen` elements.
    @inline(__always)
    package func words(vlen: Int) -> Int { 3 + fixed + element * vlen }

    /// Whether word `index` of a record, its first being 0, holds a type id.
    func isReference(_ index: Int) -> Bool {
        if index < 3 { return index == 2 && refersToType }
        if index < 3 + fixed { return fixedTypes & (1 << (index - 3)) != 0 }
        return element > 0 && elementTypes & (1 << ((index - 3 - fixed) % element)) != 0
    }
}

extension TypeInfo {
    /// Number of elements: members, values, parameters, entries. 0 for kinds whose `vlen` has
    /// another meaning.
    @inline(__always)
    package var count: Int { kind.map { $0.shape.element == 0 ? 0 : vlen } ?? 0 }

    /// Words of the whole record; 3 for an unknown kind.
    @inline(__always)
    var recordWords: Int { kind?.shape.words(vlen: vlen) ?? 3 }

    /// Calls `body` with the index of each type id in a record with this info, counted from the
    /// record's first word.
    @inline(__always)
    func forEachReference<E: Error>(_ body: (Int) throws(E) -> Void) throws(E) {
        guard let shape = kind?.shape else { return }
        if shape.refersToType { try body(2) }
        if shape.fixedTypes != 0 {
            for index in 0..<shape.fixed where shape.fixedTypes & (1 << index) != 0 {
                try body(3 + index)
            }
        }
        guard shape.elementTypes != 0 else { return }
        var at = 3 + shape.fixed
        for _ in 0..<vlen {
            for index in 0..<shape.element where shape.elementTypes & (1 << index) != 0 {
                try body(at + index)
            }
            at += shape.element
        }
    }

    /// Calls `body` with the index of each string offset in a record with this info, counted from
    /// the record's first word.
    @inline(__always)
    func forEachName(_ body: (Int) -> Void) {
        guard let shape = kind?.shape else { return }
        body(0)
        guard shape.elementHasName else { return }
        var at = 3 + shape.fixed
        for _ in 0..<vlen {
            body(at)
            at += shape.element
        }
    }
}

/// The same for the record at `start`; `body` gets indexes in `words`.
package func forEachReference(_ words: [UInt32], _ start: Int, _ body: (Int) -> Void) {
    TypeInfo(rawValue: words[start + 1]).forEachReference { body(start + $0) }
}

package func forEachName(_ words: [UInt32], _ start: Int, _ body: (Int) -> Void) {
    TypeInfo(rawValue: words[start + 1]).forEachName { body(start + $0) }
}
