// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Remembers the numbers of names on one thread: those of `.debug_str` by their offset, and short ones,
/// which compilers write where they are used, by their bytes.
struct NameCache: ~Copyable {
    /// Offset << 32 | name, at the slot of the offset's eighth or the next free one. A linker puts the
    /// strings of a header side by side, so neighbours in a struct are neighbours here: a scrambling
    /// hash took a sixth of all time in cache misses (6.1 vmlinux).
    private var offsets: Arena<UInt64>
    private var used = 0
    private static let empty = UInt64.max
    private static let shortBits: UInt64 = 12
    private var shortKeys = Arena<UInt64>(repeating: 0, count: 1 << shortBits)
    private var shortNames = Arena<UInt32>(repeating: 0, count: 1 << shortBits)

    /// - Parameter bytes: size of `.debug_str`.
    init(bytes: Int) {
        var size = 1024
        while size < bytes / 8, size < 1 << 24 { size *= 2 }
        offsets = Arena(repeating: Self.empty, count: size)
    }

    @inline(__always)
    func find(_ offset: UInt32) -> UInt32? {
        let mask = offsets.count &- 1
        var slot = Int(offset >> 3) & mask
        while true {
            let entry = offsets[slot]
            if entry >> 32 == UInt64(offset) { return UInt32(truncatingIfNeeded: entry) }
            if entry == Self.empty { return nil }
            slot = (slot &+ 1) & mask
        }
    }

    /// Remembers a name that `find` did not know; not any more when there are too many.
    mutating func store(_ name: UInt32, at offset: UInt32) {
        guard used < offsets.count / 4 * 3, offset != .max else { return }
        used += 1
        let mask = offsets.count - 1
        var slot = Int(offset >> 3) & mask
        while offsets[slot] != Self.empty { slot = (slot + 1) & mask }
        offsets[slot] = UInt64(offset) << 32 | UInt64(name)
    }

    private func slot(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> (64 - Self.shortBits))
    }

    /// - Parameter short: up to seven bytes of a name as a number, not 0.
    func findShort(_ short: UInt64) -> UInt32? {
        let slot = slot(short)
        return shortKeys[slot] == short ? shortNames[slot] : nil
    }

    mutating func store(_ name: UInt32, short: UInt64) {
        let slot = slot(short)
        shortKeys[slot] = short
        shortNames[slot] = name
    }
}
