// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A multiply-and-fold hash. Not keyed and the same on every machine: outputs must not depend on a
/// random seed.
@usableFromInline @frozen
package struct Mixer {
    @usableFromInline package var state: UInt64

    @inlinable package init(_ seed: UInt64 = 0x9e37_79b9_7f4a_7c15) { state = seed }

    @inlinable
    package mutating func add(_ value: UInt64) {
        // Wrapping is the point of a mixing hash.
        let product = (state ^ value).multipliedFullWidth(by: 0xa076_1d64_78bd_642f)
        state = product.high ^ product.low &+ 0xe703_7ed1_a0b4_28db
    }

    @inlinable package mutating func add(_ value: UInt32) { add(UInt64(value)) }

    @inlinable package var value: UInt64 { state ^ (state >> 29) }
}

/// Hash of raw bytes, eight at a time; that of a string is also found by `ByteCursor.scanName`.
package func hashBytes(_ bytes: RawSpan) -> UInt64 {
    let count = bytes.byteCount
    var mixer = Mixer.ofBytes
    var index = 0
    while index &+ 8 <= count {  // index <= count, which fits an address space
        // SAFETY: eight bytes are left.
        mixer.add(
            unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian)
        index &+= 8
    }
    let left = count &- index
    var tail: UInt64 = 0
    if left > 0, count >= 8 {
        // SAFETY: eight bytes are before the end, some of them added already.
        let last = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        tail = last.littleEndian >> UInt64(64 &- left &* 8)
    } else if left > 0 {
        tail = shortWord(bytes)
    }
    mixer.add(tail: tail, left)
    return mixer.value
}

extension Mixer {
    /// Where the hash of bytes begins.
    @inline(__always)
    static var ofBytes: Mixer { Mixer(0x517c_c1b7_2722_0a95) }

    /// Adds the last `count` bytes, fewer than eight, the first one lowest.
    @inline(__always)
    mutating func add(tail: UInt64, _ count: Int) {
        add(tail | UInt64(truncatingIfNeeded: count) << 56)
    }
}

/// A digest of many bytes, to detect changes: four interleaved hashes, which is three times as fast
/// as one.
package func digestBytes(_ bytes: RawSpan) -> UInt64 {
    let count = bytes.byteCount
    var lanes = (Mixer(1), Mixer(2), Mixer(3), Mixer(4))
    var index = 0
    func word(_ at: Int) -> UInt64 {
        // SAFETY: called only with eight bytes left, below.
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self).littleEndian
    }
    while index &+ 32 <= count {  // index <= count, which fits an address space
        lanes.0.add(word(index))
        lanes.1.add(word(index &+ 8))
        lanes.2.add(word(index &+ 16))
        lanes.3.add(word(index &+ 24))
        index &+= 32
    }
    var whole = Mixer(hashBytes(bytes.extracting(index..<count)))
    for lane in [lanes.0, lanes.1, lanes.2, lanes.3] { whole.add(lane.value) }
    whole.add(UInt64(truncatingIfNeeded: count))
    return whole.value
}

/// Calls `body` with the bytes of `array`, borrowed.
@inlinable @inline(__always)
package func withBytes<R>(_ array: [UInt8], _ body: (RawSpan) -> R) -> R {
    unsafe body(array.span.bytes)
}
