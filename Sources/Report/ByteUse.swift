// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Bytes of BTF that belong to a type, or to many.
package struct ByteUse: Equatable, Sendable {
    /// The record without its elements.
    package var heads = 0
    /// Members, values, parameters, entries of sections.
    package var elements = 0
    /// The bytes of the string section that no other type uses, with the NUL at the end.
    package var strings = 0

    package init(heads: Int = 0, elements: Int = 0, strings: Int = 0) {
        self.heads = heads
        self.elements = elements
        self.strings = strings
    }

    package var total: Int { heads + elements + strings }

    package static func += (sum: inout ByteUse, other: ByteUse) {
        sum.heads += other.heads
        sum.elements += other.elements
        sum.strings += other.strings
    }
}

/// Types and their bytes.
package struct SizeSum: Equatable, Sendable {
    package var types = 0
    package var bytes = ByteUse()

    package init() {}

    package init(_ bytes: ByteUse) {
        types = 1
        self.bytes = bytes
    }

    package static func += (sum: inout SizeSum, other: SizeSum) {
        sum.types += other.types
        sum.bytes += other.bytes
    }
}

/// Bytes of BTF that belong to no type.
package struct CommonUse: Equatable, Sendable {
    /// Bytes of strings that several types use.
    package var sharedStrings = 0
    /// Bytes of strings that no type uses.
    package var unusedStrings = 0
    package var header = 0
    /// The section that describes the kinds.
    package var layout = 0
    /// Between the sections, and after the last one.
    package var gaps = 0

    package init() {}

    package var total: Int { sharedStrings + unusedStrings + header + layout + gaps }

    package static func += (sum: inout CommonUse, other: CommonUse) {
        sum.sharedStrings += other.sharedStrings
        sum.unusedStrings += other.unusedStrings
        sum.header += other.header
        sum.layout += other.layout
        sum.gaps += other.gaps
    }

    /// Each with a name for people and a key for programs.
    package var parts: [(name: String, key: String, bytes: Int)] {
        [
            ("strings of several types", "shared_strings", sharedStrings),
            ("unused strings", "unused_strings", unusedStrings),
            ("header", "header", header),
            ("layout of kinds", "layout", layout),
            ("padding", "padding", gaps),
        ]
    }
}
