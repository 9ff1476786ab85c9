// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CLz4

/// Decompresses one lz4 frame and returns where it ended.
@unsafe
func unlz4(
    _ input: UnsafeRawBufferPointer, into output: inout GrowingBuffer
) throws(DecompressionError) -> Int {
    var context: OpaquePointer?
    // SAFETY: the context is created here and freed once below.
    let made = unsafe LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))
    guard LZ4F_isError(made) == 0, let state = unsafe context else {
        throw .init(.lz4, .outOfMemory)
    }
    defer { _ = unsafe LZ4F_freeDecompressionContext(state) }
    var taken = 0
    while true {
        var result = 0
        var given = input.count - taken
        var filled = 0
        try unsafe output.fill { room throws(DecompressionError) -> Int in
            filled = room.count
            // SAFETY: both sizes are those of the buffers; lz4 sets them to what it used.
            result = unsafe LZ4F_decompress(
                state, room.baseAddress!, &filled, input.baseAddress! + taken, &given, nil)
            return LZ4F_isError(result) != 0 ? 0 : filled
        }
        if LZ4F_isError(result) != 0 {
            // SAFETY: the names are constant strings.
            throw .init(.lz4, .damaged(unsafe String(cString: LZ4F_getErrorName(result))))
        }
        taken += given
        if result == 0 { return taken }
        if given == 0, filled == 0 { throw .init(.lz4, .truncated) }
    }
}

/// Decompresses one legacy frame: a magic number, then (compressed size, block) pairs. Each block
/// holds 8 MiB except the last. Nothing marks the end; in a kernel the size of the contents, or
/// whatever its linker put there, follows the last block.
@unsafe
func unlz4Legacy(
    _ input: UnsafeRawBufferPointer, into output: inout GrowingBuffer
) throws(DecompressionError) -> Int {
    let block = 8 << 20
    let limit = output.limit
    let largest = Int(LZ4_compressBound(Int32(block)))
    var position = 4
    while position < input.count {
        guard input.count - position >= 4 else { throw .init(.lz4Legacy, .truncated) }
        // SAFETY: four bytes are left.
        let size = Int(
            unsafe UInt32(
                littleEndian: input.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
        let isFirst = position == 4
        // The last block was full and this is not another block's size: the stream ends here.
        if size == 0 || size > largest || input.count - position == 4 {
            guard !isFirst else { throw .init(.lz4Legacy, .damaged("bad block size \(size)")) }
            return position
        }
        guard size <= input.count - position - 4 else { throw .init(.lz4Legacy, .truncated) }
        var made = 0
        // Less room than a block: only as much as the limit leaves, which `fill` then finds
        // exceeded.
        let wanted = min(block, limit + 1 - output.count)
        try unsafe output.fill(atLeast: wanted) { room throws(DecompressionError) -> Int in
            let space = min(room.count, block)
            // SAFETY: `size` bytes follow the size, and `space` bytes are free.
            let result = unsafe LZ4_decompress_safe(
                (input.baseAddress! + position + 4).assumingMemoryBound(to: CChar.self),
                room.baseAddress!.assumingMemoryBound(to: CChar.self), Int32(size), Int32(space))
            guard result >= 0 else {
                if space < block { throw .init(.lz4Legacy, .tooLarge(limit: limit)) }
                throw .init(.lz4Legacy, .damaged("block at offset \(position)"))
            }
            made = Int(result)
            return made
        }
        position += 4 + size
        if made < block { return position }
    }
    guard position > 4 else { throw .init(.lz4Legacy, .truncated) }
    return position
}
