// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc

/// Memory for a decoder's output, of a size not known beforehand and at most `limit`.
///
/// The block doubles when it is full. malloc moves large blocks by remapping pages, so growing
/// copies nothing, and unwritten pages take no memory.
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

    /// Calls `body` with the free part of the memory, at least one byte; it returns how many bytes
    /// it wrote.
    ///
    /// - Throws: if the memory is full and at the limit.
    @unsafe
    mutating func fill(
        atLeast least: Int = 1,
        _ body: (UnsafeMutableRawBufferPointer) throws(DecompressionError) -> Int
    ) throws(DecompressionError) {
        // One byte beyond the limit is offered: whoever fills it had more data.
        while capacity - count < least, capacity <= limit {
            let larger = min(capacity * 2, limit + 1)  // a limit is far below Int.max / 2
            // SAFETY: on failure the old block remains valid.
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

    /// The bytes written so far; the view takes ownership of the memory.
    consuming func finish() -> ByteView {
        let count = count
        // SAFETY: shrinking; if it fails, the old block is still valid.
        let owned = unsafe realloc(base, max(count, 1)) ?? base
        discard self
        return unsafe ByteView(
            ByteStorage(base: UnsafeRawPointer(owned), count: count) { unsafe free(owned) })
    }
}
