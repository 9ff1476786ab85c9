// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CZstd

/// Decompresses one zstd frame (RFC 8878) and the skippable frames before it, and returns where it
/// ended. Windows of up to 128 MiB are accepted, as kernels use them (`zstd -22 --ultra`).
@unsafe
func unzstd(
    _ input: UnsafeRawBufferPointer, into output: inout GrowingBuffer
) throws(DecompressionError) -> Int {
    guard let state = unsafe ZSTD_createDCtx() else { throw .init(.zstd, .outOfMemory) }
    // SAFETY: freed once, here.
    defer { _ = unsafe ZSTD_freeDCtx(state) }
    var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    while true {
        let isSkippable = unsafe zstdFrameIsSkippable(input, source.pos)
        if !isSkippable {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: input[source.pos...])
            if let taken = try unsafe unzstdAtOnce(state, rest, into: &output) {
                return (unsafe source.pos) + taken
            }
        }
        // One frame: until zstd returns 0.
        while true {
            var result = 0
            let before = unsafe source.pos
            var made = 0
            try unsafe output.fill { room throws(DecompressionError) -> Int in
                var target = unsafe ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
                // SAFETY: both buffers have the given sizes.
                result = unsafe ZSTD_decompressStream(state, &target, &source)
                made = unsafe target.pos
                return made
            }
            if ZSTD_isError(result) != 0 {
                // SAFETY: the names are constant strings.
                let words = unsafe String(cString: ZSTD_getErrorName(result))
                throw .init(.zstd, .damaged(words))
            }
            if result == 0 { break }
            let end = unsafe source.pos == source.size
            if end, made == 0 { throw .init(.zstd, .truncated) }
            guard made > 0 || (unsafe source.pos) > before else {
                throw .init(.zstd, .damaged("no progress"))
            }
        }
        let position = unsafe source.pos
        guard isSkippable, position < input.count else { return position }
    }
}

/// Decompresses a whole frame at once, which avoids copying the window as a stream does (for a
/// kernel 57 MB and a fifth of the time). This requires the size of the contents, from the frame's
/// header or from the four bytes that kbuild appends to a kernel.
///
/// - Returns: the frame's length; nil if the size is unknown or wrong, or on any error.
@unsafe
private func unzstdAtOnce(
    _ state: OpaquePointer, _ input: UnsafeRawBufferPointer, into output: inout GrowingBuffer
) throws(DecompressionError) -> Int? {
    // SAFETY: zstd reads only within the bytes it is given.
    let length = unsafe ZSTD_findFrameCompressedSize(input.baseAddress, input.count)
    guard ZSTD_isError(length) == 0, length <= input.count else { return nil }
    // The two highest values mean "not known" and "error".
    var size = unsafe ZSTD_getFrameContentSize(input.baseAddress, input.count)
    if size > UInt64.max - 2, input.count - length >= 4 {
        // SAFETY: four bytes follow the frame.
        size = UInt64(
            unsafe UInt32(
                littleEndian: input.loadUnaligned(fromByteOffset: length, as: UInt32.self)))
    }
    guard size > 0, let wanted = Int(exactly: size), wanted <= output.limit - output.count else {
        return nil
    }
    var isWhole = false
    try unsafe output.fill(atLeast: wanted) { room throws(DecompressionError) -> Int in
        // SAFETY: both buffers have the given sizes.
        let made = unsafe ZSTD_decompressDCtx(
            state, room.baseAddress, room.count, input.baseAddress, length)
        isWhole = ZSTD_isError(made) == 0
        return isWhole ? made : 0
    }
    return isWhole ? length : nil
}

/// RFC 8878 3.1.2: magic 0x184D2A5x.
@unsafe
private func zstdFrameIsSkippable(_ input: UnsafeRawBufferPointer, _ at: Int) -> Bool {
    guard input.count - at >= 4 else { return false }
    // SAFETY: four bytes are left.
    let magic = unsafe UInt32(
        littleEndian: input.loadUnaligned(fromByteOffset: at, as: UInt32.self))
    return magic & 0xffff_fff0 == 0x184d_2a50
}
