// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// A 128-bit digest of a meaning. Equal digests are assumed to be equal meanings: among a billion
/// different types two collide by accident with a chance of about 10^-21. The hash is not keyed, so
/// a crafted file could collide; comparing is not a security boundary.
struct Digest: Equatable, Comparable, Sendable {
    let high: UInt64
    let low: UInt64

    @inline(__always)
    static func < (a: Digest, b: Digest) -> Bool {
        a.high != b.high ? a.high < b.high : a.low < b.low
    }

    /// The meaning of a reference to void.
    @inline(__always) static var void: Digest { Digest(high: 1, low: 1) }
    /// The meaning of a reference to an id that does not exist.
    @inline(__always) static var dangling: Digest { Digest(high: 2, low: 2) }
    /// The meaning of a reference back into an anonymous type that is being written; only damaged
    /// data has one, since C names every type that refers to itself.
    @inline(__always) static var loop: Digest { Digest(high: 3, low: 3) }

    /// Of both.
    func joined(with other: Digest) -> Digest {
        var builder = DigestBuilder()
        builder.add(self)
        builder.add(other)
        return builder.value
    }

    // What is not a meaning.

    /// Of an anonymous type that is not written out yet.
    @inline(__always) static var unknown: Digest { Digest(high: 4, low: 4) }
    /// Of one that is being written out.
    @inline(__always) static var open: Digest { Digest(high: 5, low: 5) }
}

/// Two hashes with different seeds and word order over the same words.
struct DigestBuilder {
    private var first = Mixer(0x243f_6a88_85a3_08d3)
    private var second = Mixer(0x1319_8a2e_0370_7344)

    @inline(__always)
    mutating func add(_ value: UInt64) {
        first.add(value)
        second.add(value.byteSwapped)
    }

    @inline(__always)
    mutating func add(_ value: UInt32) { add(UInt64(value)) }

    /// Half of the digest into each hash.
    @inline(__always)
    mutating func add(_ digest: Digest) {
        first.add(digest.high)
        second.add(digest.low)
    }

    /// Adds the string at `offset`. Its words end with the first one that has a NUL.
    @inline(__always)
    mutating func addString(_ offset: UInt32, of types: TypeTable) {
        let at = Int(offset)
        let count = types.lowStrings.count
        if at < count {
            types.lowStrings.forEachWord(ofStringAt: at, atMost: TypeTable.maxNameLength) {
                add($0)
                return true
            }
        } else {
            types.ownStrings.forEachWord(
                ofStringAt: at - count, atMost: TypeTable.maxNameLength
            ) {
                add($0)
                return true
            }
        }
    }

    @inline(__always)
    var value: Digest { Digest(high: first.value, low: second.value) }
}
