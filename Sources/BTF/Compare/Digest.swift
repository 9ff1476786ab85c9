// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// A 128-bit digest of a meaning. Equal digests are assumed to be equal meanings: among a billion
/// different types two collide by accident with a chance of about 10^-21. The hash is not keyed, so
/// a crafted file could collide; comparing is not a security boundary.
struct Digest: Hashable, Comparable, Sendable {
    let high: UInt64
    let low: UInt64

    static func < (a: Digest, b: Digest) -> Bool {
        a.high != b.high ? a.high < b.high : a.low < b.low
    }

    /// The meaning of a reference to void.
    static let void = Digest(high: 1, low: 1)
    /// The meaning of a reference to an id that does not exist.
    static let dangling = Digest(high: 2, low: 2)
    /// The meaning of a reference back into an anonymous type that is being written; only damaged
    /// data has one, since C names every type that refers to itself.
    static let loop = Digest(high: 3, low: 3)
}

/// Two hashes with different seeds and word order over the same words.
struct DigestBuilder {
    private var first = Mixer(0x243f_6a88_85a3_08d3)
    private var second = Mixer(0x1319_8a2e_0370_7344)

    mutating func add(_ value: UInt64) {
        first.add(value)
        second.add(value.byteSwapped)
    }

    mutating func add(_ value: UInt32) { add(UInt64(value)) }

    mutating func add(_ digest: Digest) {
        add(digest.high)
        add(digest.low)
    }

    /// Adds the string at `offset` and its length.
    mutating func addString(_ offset: UInt32, of types: TypeTable) {
        var at = Int(offset)
        var word: UInt64 = 0
        var length: UInt64 = 0
        while length < TypeTable.maxNameLength {
            let byte = types.byte(at: at)
            if byte == 0 { break }
            word = word << 8 | UInt64(byte)
            length += 1
            if length % 8 == 0 {
                add(word)
                word = 0
            }
            at += 1
        }
        add(word)
        add(length)
    }

    var value: Digest { Digest(high: first.value, low: second.value) }
}
