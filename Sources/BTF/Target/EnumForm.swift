// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// How enums that are signed, or wider than 32 bits, are represented. Before Linux 6.0, and without
/// pahole's feature `enum64`, they are truncated: an ENUM of their size, with the low 32 bits of
/// each value and no sign.
package struct EnumForm: Hashable, Sendable {
    /// Some enum is an ENUM64, or has a sign.
    package internal(set) var hasWhole = false
    /// Some ENUM has 8 bytes and values: a truncated ENUM64.
    package internal(set) var hasCut = false
    /// Some ENUM without a sign has a value that may be negative.
    package internal(set) var hasHighValues = false

    package init() {}

    mutating func add(_ other: EnumForm) {
        hasWhole = hasWhole || other.hasWhole
        hasCut = hasCut || other.hasCut
        hasHighValues = hasHighValues || other.hasHighValues
    }
}
