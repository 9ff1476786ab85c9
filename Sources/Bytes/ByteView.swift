// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Owns a run of bytes that does not move: a file mapping, a malloc'd buffer, a library's buffer.
/// The bytes stay readable until the last `ByteView` on them is destroyed; then `release` runs
/// once.
@safe
@usableFromInline
package final class ByteStorage: @unchecked Sendable {
    // SAFETY: never written after init; Sendable because it is immutable shared memory.
    @usableFromInline let base: UnsafeRawPointer?
    @usableFromInline let count: Int
    private let release: () -> Void

    /// - Parameters:
    ///   - base: first byte; must stay valid and unchanged until `release` is called.
    ///   - release: frees the memory.
    @unsafe
    package init(base: UnsafeRawPointer?, count: Int, release: @escaping () -> Void) {
        unsafe self.base = base
        self.count = unsafe base == nil ? 0 : count
        self.release = release
    }

    deinit { release() }

    /// Fresh memory of `count` zero bytes, filled once by `fill`, immutable afterwards.
    package static func filled<E: Error>(
        count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void
    ) throws(E) -> ByteStorage {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
        // SAFETY: the buffer is owned by the storage from here on; it is freed exactly once.
        let storage = unsafe ByteStorage(base: UnsafeRawPointer(buffer.baseAddress), count: count) {
            unsafe buffer.deallocate()
        }
        try unsafe fill(buffer)
        return storage
    }
}

/// An immutable slice of bytes and the storage that keeps it alive. Every read is checked.
@safe
@usableFromInline @frozen
package struct ByteView: Sendable {
    @usableFromInline let storage: ByteStorage
    /// Offset of the first byte in the storage.
    @usableFromInline let start: Int
    @usableFromInline package let count: Int

    package init(_ storage: ByteStorage) {
        self.storage = storage
        start = 0
        count = storage.count
    }

    @inlinable
    init(storage: ByteStorage, start: Int, count: Int) {
        self.storage = storage
        self.start = start
        self.count = count
    }

    package static let empty = ByteView([])

    /// Copies `bytes` into storage of its own.
    package init(_ bytes: [UInt8]) {
        let storage = unsafe ByteStorage.filled(count: bytes.count) {
            unsafe $0.copyBytes(from: bytes)
        }
        self.init(storage)
    }

    @inlinable package var isEmpty: Bool { count == 0 }

    /// The part from `offset` on, `length` bytes long; nil if it is not inside.
    @inlinable
    package func slice(_ offset: Int, _ length: Int) -> ByteView? {
        guard offset >= 0, length >= 0, offset <= count, length <= count - offset else {
            return nil
        }
        return ByteView(storage: storage, start: start + offset, count: length)
    }

    @inlinable
    package subscript(_ index: Int) -> UInt8 {
        precondition(index >= 0 && index < count)
        // SAFETY: index is inside this view, which lies inside the storage.
        return unsafe storage.base!.load(fromByteOffset: start + index, as: UInt8.self)
    }

    /// Calls `body` with the bytes; the pointer must not escape.
    @unsafe @inlinable
    package func withUnsafeBytes<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        // SAFETY: storage is retained by self for the duration of the call.
        try unsafe body(
            UnsafeRawBufferPointer(start: storage.base.map { unsafe $0 + start }, count: count))
    }

    package var array: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }

    /// True when the bytes at `offset` are exactly `bytes`.
    package func hasBytes(_ bytes: StaticString, at offset: Int = 0) -> Bool {
        guard offset >= 0, offset <= count, bytes.utf8CodeUnitCount <= count - offset else {
            return false
        }
        for i in 0..<bytes.utf8CodeUnitCount {
            // SAFETY: i is below the literal's own length.
            let expected = unsafe bytes.utf8Start[i]
            guard self[offset + i] == expected else { return false }
        }
        return true
    }

    /// A cursor at the first byte. It borrows: keep this view alive while the cursor is in use.
    @inlinable
    package func cursor(bigEndian: Bool = false) -> ByteCursor {
        // SAFETY: the range lies inside the storage; the caller keeps the view alive (contract
        // above).
        unsafe ByteCursor(
            base: (storage.base ?? UnsafeRawPointer(bitPattern: 1)!) + start, count: count,
            bigEndian: bigEndian)
    }

    /// NUL-terminated bytes from `offset`, without the NUL; nil without a NUL inside.
    package func cString(at offset: Int) -> String? {
        guard offset >= 0, offset < count else { return nil }
        var end = offset
        while end < count, self[end] != 0 { end += 1 }
        guard end < count else { return nil }
        return unsafe withUnsafeBytes {
            unsafe String(
                decoding: UnsafeRawBufferPointer(rebasing: $0[offset..<end]), as: UTF8.self)
        }
    }
}

extension ByteView {
    /// `count` 32-bit words from byte `offset` on, in host order; nil if they are not inside.
    ///
    /// - Parameter whenCopied: called with each piece of these bytes after it was copied.
    package func words(
        at offset: Int, count: Int, bigEndian: Bool, whenCopied: (ByteView) -> Void = { _ in }
    ) -> [UInt32]? {
        guard count >= 0, count <= self.count / 4, let part = slice(offset, count * 4) else {
            return nil
        }
        return unsafe Array(unsafeUninitializedCapacity: count) { buffer, initialized in
            let target = UnsafeMutableRawBufferPointer(buffer)
            for start in stride(from: 0, to: part.count, by: 1 << 20) {
                guard let piece = part.slice(start, min(1 << 20, part.count - start)) else { break }
                unsafe piece.withUnsafeBytes { source in
                    // SAFETY: the target has count * 4 bytes, as many as `part`.
                    unsafe UnsafeMutableRawBufferPointer(rebasing: target[start...])
                        .copyMemory(from: source)
                }
                whenCopied(piece)
            }
            initialized = count
            if bigEndian != (UInt32(bigEndian: 1) == 1) {
                for index in 0..<count { unsafe buffer[index] = unsafe buffer[index].byteSwapped }
            }
        }
    }

    /// The 32-bit word at byte `offset`, which is inside, in host order.
    @inlinable @inline(__always)
    package func word(at offset: Int, bigEndian: Bool) -> UInt32 {
        precondition(offset >= 0 && offset <= count &- 4)
        // SAFETY: the four bytes are inside this view, which lies inside the storage.
        let word = unsafe storage.base!.loadUnaligned(
            fromByteOffset: start &+ offset, as: UInt32.self)
        return bigEndian ? UInt32(bigEndian: word) : UInt32(littleEndian: word)
    }

    /// A copy of `length` bytes from `offset`; nil if they are not inside.
    package func bytes(at offset: Int, count length: Int) -> [UInt8]? {
        slice(offset, length)?.array
    }
}

/// Appends the bytes of `words` in the given order.
package func append(_ words: [UInt32], to bytes: inout [UInt8], bigEndian: Bool) {
    if bigEndian == (UInt32(bigEndian: 1) == 1) {
        // SAFETY: the bytes are copied before the call ends.
        unsafe words.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        return
    }
    for word in words {
        let swapped = word.byteSwapped
        // SAFETY: as above.
        unsafe withUnsafeBytes(of: swapped) { unsafe bytes.append(contentsOf: $0) }
    }
}

extension ByteView {
    /// Calls `body` with the bytes, borrowed.
    @inlinable @inline(__always)
    package func withSpan<R>(_ body: (RawSpan) -> R) -> R {
        unsafe withUnsafeBytes { unsafe body($0.bytes) }
    }

    /// Calls `body` with `length` bytes from `offset` on, which are inside.
    @inlinable @inline(__always)
    package func withSpan<R>(_ offset: Int, _ length: Int, _ body: (RawSpan) -> R) -> R {
        withSpan { body($0.extracting(offset..<offset + length)) }
    }
}

extension ByteView {
    /// A copy of `parts`, in order.
    package init(joining parts: [ByteView]) {
        let storage = unsafe ByteStorage.filled(count: parts.reduce(0) { $0 + $1.count }) {
            target in
            var at = 0
            for part in parts {
                // SAFETY: the target has room for all parts.
                unsafe part.withUnsafeBytes {
                    unsafe UnsafeMutableRawBufferPointer(rebasing: target[at...]).copyMemory(
                        from: $0)
                }
                at += part.count
            }
        }
        self.init(storage)
    }

    /// Zero bytes to extend `count` bytes to the next multiple of 8.
    package static func padding(after count: Int) -> ByteView {
        count % 8 == 0 ? .empty : ByteView([UInt8](repeating: 0, count: 8 - count % 8))
    }

    /// Up to seven bytes as a number that is unique among such runs of bytes without NUL; 0 for
    /// longer runs and for none.
    package var shortKey: UInt64 {
        guard count < 8 else { return 0 }
        var key: UInt64 = 0
        for index in 0..<count { key = key << 8 | UInt64(self[index]) }
        return key
    }

    /// The same for the bytes from `offset` up to the next NUL; 0 also without a NUL.
    @inlinable
    package func shortKey(at offset: Int) -> UInt64 {
        guard offset >= 0, offset <= count - 8 else { return 0 }
        var key: UInt64 = 0
        for index in offset..<offset + 8 {
            let byte = self[index]
            if byte == 0 { return key }
            key = key << 8 | UInt64(byte)
        }
        return 0
    }
}

extension ByteView {
    /// Whether the `count` bytes at `a` and at `b`, all of which are inside, are equal.
    package func hasSameBytes(_ a: Int, _ b: Int, _ count: Int) -> Bool {
        precondition(
            a >= 0 && b >= 0 && count >= 0 && a <= self.count - count && b <= self.count - count)
        return unsafe withUnsafeBytes { bytes in
            var index = 0
            while index &+ 8 <= count {
                // SAFETY: eight bytes are left of both.
                let x = unsafe bytes.loadUnaligned(fromByteOffset: a &+ index, as: UInt64.self)
                let y = unsafe bytes.loadUnaligned(fromByteOffset: b &+ index, as: UInt64.self)
                if x != y { return false }
                index &+= 8
            }
            while index < count {
                if unsafe bytes[a &+ index] != (unsafe bytes[b &+ index]) { return false }
                index &+= 1
            }
            return true
        }
    }
}

extension ByteView {
    /// `hashBytes` of the `count` bytes at `start`, all of which lie inside.
    package func hash(of start: Int, _ count: Int) -> UInt64 {
        precondition(start >= 0 && count >= 0 && start <= self.count - count)
        return unsafe withUnsafeBytes { bytes in
            unsafe hashBytes(bytes.bytes.extracting(start..<start &+ count))
        }
    }

    /// The index of the first `byte`.
    package func firstIndex(of byte: UInt8) -> Int? {
        unsafe withUnsafeBytes { bytes in
            for index in 0..<count where unsafe bytes[index] == byte { return index }
            return nil
        }
    }
}
