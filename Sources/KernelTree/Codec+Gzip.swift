// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CZlib

/// Decompresses one gzip member (RFC 1952), verifies its checksum, and returns where it ended.
@unsafe
func gunzip(
    _ input: UnsafeRawBufferPointer, into output: inout GrowingBuffer
) throws(DecompressionError) -> Int {
    var state = unsafe z_stream()
    let gzipOnly = MAX_WBITS + 16
    // SAFETY: the state is initialised here and ended below.
    guard
        unsafe inflateInit2_(&state, gzipOnly, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
            == Z_OK
    else { throw .init(.gzip, .outOfMemory) }
    defer { _ = unsafe inflateEnd(&state) }
    var taken = 0
    while true {
        var status = Z_OK
        var took = 0
        try unsafe output.fill { room throws(DecompressionError) -> Int in
            // zlib counts in 32 bits.
            let give = min(input.count - taken, 1 << 30)
            let space = min(room.count, 1 << 30)
            // SAFETY: `give` and `space` bytes are available; zlib does not write to its input.
            unsafe state.next_in = UnsafeMutablePointer(
                mutating: input.baseAddress?.advanced(by: taken).assumingMemoryBound(to: UInt8.self)
            )
            unsafe state.avail_in = UInt32(give)
            unsafe state.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe state.avail_out = UInt32(space)
            status = unsafe inflate(&state, Z_NO_FLUSH)
            took = give - Int(unsafe state.avail_in)
            return space - Int(unsafe state.avail_out)
        }
        taken += took
        switch status {
        case Z_STREAM_END: return taken
        case Z_OK: continue
        case Z_BUF_ERROR: throw .init(.gzip, .truncated)
        case Z_MEM_ERROR: throw .init(.gzip, .outOfMemory)
        default:
            // SAFETY: zlib's messages are constant strings.
            let words = unsafe state.msg.map { unsafe String(cString: $0) }
            throw .init(.gzip, .damaged(words ?? "zlib error \(status)"))
        }
    }
}
