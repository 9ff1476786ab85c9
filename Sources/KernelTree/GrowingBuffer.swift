// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc

/// Memory that a decoder writes to, of a size not known beforehand and never more than `limit`.
///
/// The block doubles when it is full. Large blocks of malloc move by remapping pages, so growing copies
/// nothing, and what is not written takes no memory.
@safe
struct GrowingBuffer: ~Copyable {
    private let format: CompressionFormat
    let limit: Int
    // SAFETY: base[0..<capacity] is ours until `finish` or `deinit`; count <= capacity.
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    init(_ format: CompressionFormat, hint: Int, limit: Int) throws(DecompressionError) {
        self.format = format
        self.limit = limit
        capacity = min(max(hint, 1 << 16), limit + 1)
        guard let block = unsafe malloc(capacity) else { throw .init(format, .outOfMemory) }
        unsafe base = block
    }

    deinit { unsafe free(base) }

    /// Calls `body` with the free part of the memory, at least one byte; it answers how many it filled.
    /// - Throws: when the memory is full and at the limit.
    @unsafe
    mutating func fill(
        atLeast least: Int = 1,
        _ body: (UnsafeMutableRawBufferPointer) throws(DecompressionError) -> Int
    ) throws(DecompressionError) {
        // One byte beyond the limit is offered: who fills it had more to give.
        while capacity - count < least, capacity <= limit {
            let larger = min(capacity * 2, limit + 1)  // a limit is far below Int.max / 2
            // SAFETY: on failure the old block stays ours.
            guard let block = unsafe realloc(base, larger) else {
                throw .init(format, .outOfMemory)
            }
            unsafe base = block
            capacity = larger
        }
        guard capacity - count >= least else { throw .init(format, .tooLarge(limit: limit)) }
        // SAFETY: the range is inside the block.
        let filled = try unsafe body(
            UnsafeMutableRawBufferPointer(start: base + count, count: capacity - count))
        precondition(filled >= 0 && filled <= capacity - count)
        count += filled
        guard count <= limit else { throw .init(format, .tooLarge(limit: limit)) }
    }

    /// The bytes written so far; the memory goes over to the view.
    consuming func finish() -> ByteView {
        let count = count
        // SAFETY: shrinking; should it fail, the old block is still whole.
        let owned = unsafe realloc(base, max(count, 1)) ?? base
        discard self
        return unsafe ByteView(
            ByteStorage(base: UnsafeRawPointer(owned), count: count) { unsafe free(owned) })
    }
}
