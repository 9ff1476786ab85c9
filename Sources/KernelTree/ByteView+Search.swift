// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc

extension ByteView {
    func byte(_ offset: Int) -> UInt8? { offset >= 0 && offset < count ? self[offset] : nil }

    /// True when the bytes from `offset` on are `expected`.
    func matches(_ expected: [UInt8], at offset: Int) -> Bool {
        guard offset >= 0, offset <= count, expected.count <= count - offset else { return false }
        for index in expected.indices where self[offset + index] != expected[index] { return false }
        return true
    }

    /// The little-endian number at `offset`, which must be inside.
    func u32(_ offset: Int) -> UInt32 {
        UInt32(self[offset]) | UInt32(self[offset + 1]) << 8 | UInt32(self[offset + 2]) << 16
            | UInt32(self[offset + 3]) << 24
    }

    /// The little-endian number at `offset`, which must be inside.
    func u16(_ offset: Int) -> Int { Int(self[offset]) | Int(self[offset + 1]) << 8 }

    /// Where `needle`, which is not empty, first occurs at or after `start`.
    func find(_ needle: [UInt8], from start: Int = 0) -> Int? {
        guard start >= 0, start <= count else { return nil }
        let last = count - needle.count
        return unsafe withUnsafeBytes { (bytes: UnsafeRawBufferPointer) -> Int? in
            var at = start
            // memchr scans some 20 GB/s of bytes that do not begin like the needle.
            while at <= last {
                // SAFETY: at...last lies inside the view.
                guard
                    let hit = unsafe memchr(
                        bytes.baseAddress! + at, Int32(needle[0]), last - at + 1)
                else { return nil }
                at = unsafe UnsafeRawPointer(hit) - bytes.baseAddress!
                if matches(needle, at: at) { return at }
                at += 1
            }
            return nil
        }
    }

    func isEqual(to other: ByteView) -> Bool {
        guard count == other.count else { return false }
        if isEmpty { return true }
        // SAFETY: both have `count` bytes.
        return unsafe withUnsafeBytes { own in
            unsafe other.withUnsafeBytes {
                unsafe memcmp(own.baseAddress!, $0.baseAddress!, count) == 0
            }
        }
    }

    /// A copy that does not keep the storage of this view alive.
    func detached() -> ByteView {
        unsafe ByteView(
            ByteStorage.filled(count: count) { target in
                // SAFETY: the target has exactly this view's size.
                unsafe withUnsafeBytes { unsafe target.copyMemory(from: $0) }
            })
    }
}
