// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CLzma

/// The most a dictionary may make liblzma allocate. `xz -9` needs 65 MiB, kernels at most 129.
private let xzMemoryLimit: UInt64 = 512 << 20

/// Decompresses one xz stream or one lzma ("alone") file, and returns where it ended.
@unsafe
func unxz(
    _ input: UnsafeRawBufferPointer, _ format: CompressionFormat, into output: inout GrowingBuffer
) throws(DecompressionError) -> Int {
    var state = unsafe lzma_stream()
    // SAFETY: a zeroed stream equals LZMA_STREAM_INIT; it is ended below.
    let started =
        unsafe format == .xz
        ? lzma_stream_decoder(&state, xzMemoryLimit, 0) : lzma_alone_decoder(&state, xzMemoryLimit)
    defer { unsafe lzma_end(&state) }
    guard started == LZMA_OK else { throw xzError(format, started) }
    // SAFETY: `input` outlives the loop.
    unsafe state.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
    unsafe state.avail_in = input.count
    while true {
        var status = LZMA_OK
        try unsafe output.fill { room throws(DecompressionError) -> Int in
            // SAFETY: the memory has the given size.
            unsafe state.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe state.avail_out = room.count
            status = unsafe lzma_code(&state, LZMA_FINISH)
            return room.count - (unsafe state.avail_out)
        }
        if status == LZMA_STREAM_END { return input.count - (unsafe state.avail_in) }
        guard status == LZMA_OK else { throw xzError(format, status) }
    }
}

private func xzError(_ format: CompressionFormat, _ status: lzma_ret) -> DecompressionError {
    switch status {
    case LZMA_BUF_ERROR: .init(format, .truncated)
    case LZMA_MEM_ERROR: .init(format, .outOfMemory)
    case LZMA_MEMLIMIT_ERROR:
        .init(
            format,
            .unsupported(
                "\(format.name) data needs more than \(xzMemoryLimit >> 20) MiB to decompress"))
    case LZMA_OPTIONS_ERROR:
        .init(
            format, .unsupported("\(format.name) data uses options that liblzma does not support"))
    case LZMA_FORMAT_ERROR: .init(format, .damaged("bad header"))
    default: .init(format, .damaged("checksum or contents do not match"))
    }
}
