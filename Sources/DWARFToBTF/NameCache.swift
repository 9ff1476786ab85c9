// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Tables

/// Caches the numbers of names: those in `.debug_str` by offset, shared by all threads, and short
/// ones, which compilers write inline, by their bytes, per thread.
struct NameCache: ~Copyable {
    private let offsets: SharedNumberTable
    private static let shortBits: UInt64 = 12
    private var shortKeys = Arena<UInt64>(repeating: 0, count: 1 << shortBits)
    private var shortNames = Arena<UInt32>(repeating: 0, count: 1 << shortBits)

    /// - Parameter offsets: the table shared by all threads.
    init(_ offsets: SharedNumberTable) { self.offsets = offsets }

    @inline(__always)
    func find(_ offset: UInt32) -> UInt32? { offsets.find(offset) }

    func store(_ name: UInt32, at offset: UInt32) { offsets.store(name, for: offset) }

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
