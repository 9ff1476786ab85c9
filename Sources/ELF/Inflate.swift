// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import CZlib
import CZstd
import Glibc

/// Decompresses sections. The size a section claims is trusted only as far as its compressed size
/// can reach, and memory is touched only as it is filled.
enum Inflate {
    /// Deflate's true maximum: 258 bytes from two bits, that is 1032 from one byte
    /// (<https://zlib.net/zlib_tech.html>).
    static let maximumRatio: UInt64 = 1032
    /// zstd has no useful bound (a block of 128 KiB may take 4 bytes), so small sections pass
    /// whatever their ratio, and larger ones are held to zlib's.
    static let zstdAllowance: UInt64 = 16 << 20

    /// A `SHF_COMPRESSED` section: Elf32_Chdr or Elf64_Chdr, then the stream (gABI, "Compression
    /// Header").
    static func section(
        _ raw: ByteView, is64Bit: Bool, bigEndian: Bool
    ) throws(ELFFault) -> ByteView {
        var cursor = raw.cursor(bigEndian: bigEndian)
        let type: UInt32
        let claimed: UInt64
        do throws(ByteError) {
            type = try cursor.readU32()
            if is64Bit { try cursor.skip(4) }
            claimed = try cursor.readOffset(is64Bit: is64Bit)
            _ = try cursor.readOffset(is64Bit: is64Bit)  // the alignment
        } catch { throw .badCompression("the header is truncated") }
        guard let stream = raw.slice(cursor.offset, cursor.remaining) else {
            throw .badCompression("the header is truncated")
        }
        switch type {
        case 1: return try zlib(stream, claimed)
        case 2: return try zstd(stream, claimed)
        default: throw .unsupported("compression type \(type)")
        }
    }

    /// A `.zdebug_` section: "ZLIB", the size as 8 bytes most significant first, the stream.
    static func oldGNU(_ raw: ByteView) throws(ELFFault) -> ByteView {
        var cursor = raw.cursor(bigEndian: true)
        let claimed: UInt64
        do throws(ByteError) {
            try cursor.skip(4)
            claimed = try cursor.readU64()
        } catch { throw .badCompression("the header is truncated") }
        guard let stream = raw.slice(cursor.offset, cursor.remaining) else {
            throw .badCompression("the header is truncated")
        }
        return try zlib(stream, claimed)
    }

    private static func zlib(_ stream: ByteView, _ claimed: UInt64) throws(ELFFault) -> ByteView {
        let reachable = UInt64(stream.count).multipliedReportingOverflow(by: maximumRatio)
        guard reachable.overflow || claimed <= reachable.partialValue else {
            throw .inflatesTooMuch(claimed: claimed, from: UInt64(stream.count))
        }
        // SAFETY: see `fill`; both buffers have the sizes in the counts.
        return try unsafe fill(claimed) { output throws(ELFFault) in
            try unsafe stream.withUnsafeBytes { input throws(ELFFault) in
                try unsafe inflateAll(input, output)
            }
        }
    }

    /// Runs zlib over `input`, which must fill `output` exactly.
    @unsafe
    private static func inflateAll(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(ELFFault) {
        // SAFETY: zlib expects a zeroed initial state; the fields read below are plain numbers.
        var state = unsafe z_stream()
        // SAFETY: the state is initialised here and ended below.
        guard unsafe inflateInit_(&state, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw .badCompression("zlib cannot be initialised") }
        defer { _ = unsafe inflateEnd(&state) }
        var taken = 0
        var made = 0
        while true {
            // zlib counts in 32 bits.
            let give = min(input.count - taken, 1 << 30)
            let room = min(output.count - made, 1 << 30)
            // SAFETY: `give` and `room` bytes follow these addresses; zlib does not write its
            // input.
            unsafe state.next_in = UnsafeMutablePointer(
                mutating: input.baseAddress?.advanced(by: taken).assumingMemoryBound(to: UInt8.self)
            )
            unsafe state.avail_in = UInt32(give)
            unsafe state.next_out = output.baseAddress?.advanced(by: made)
                .assumingMemoryBound(to: UInt8.self)
            unsafe state.avail_out = UInt32(room)
            let result = unsafe inflate(&state, Z_NO_FLUSH)
            let took = give - Int(unsafe state.avail_in)
            let gave = room - Int(unsafe state.avail_out)
            taken += took
            made += gave
            if result == Z_STREAM_END { break }
            guard result == Z_OK, took > 0 || gave > 0 else {
                throw .badCompression(
                    result == Z_BUF_ERROR || result == Z_OK
                        ? "the zlib stream does not end where it should" : "damaged zlib stream")
            }
        }
        guard made == output.count else {
            throw .badCompression("it has \(made) bytes, not \(output.count)")
        }
    }

    private static func zstd(_ stream: ByteView, _ claimed: UInt64) throws(ELFFault) -> ByteView {
        let reachable = UInt64(stream.count).multipliedReportingOverflow(by: maximumRatio)
        guard claimed <= zstdAllowance || reachable.overflow || claimed <= reachable.partialValue
        else { throw .inflatesTooMuch(claimed: claimed, from: UInt64(stream.count)) }
        // SAFETY: zstd is given both buffers with their sizes.
        return try unsafe fill(claimed) { output throws(ELFFault) in
            let made = unsafe stream.withUnsafeBytes { input in
                unsafe ZSTD_decompress(
                    output.baseAddress, output.count, input.baseAddress, input.count)
            }
            guard ZSTD_isError(made) == 0 else {
                // SAFETY: the names are constant strings.
                throw .badCompression(unsafe String(cString: ZSTD_getErrorName(made)))
            }
            guard made == output.count else {
                throw .badCompression("it has \(made) bytes, not \(output.count)")
            }
        }
    }

    /// Memory of `size` bytes, filled by `body`.
    @unsafe
    private static func fill(
        _ size: UInt64, _ body: (UnsafeMutableRawBufferPointer) throws(ELFFault) -> Void
    ) throws(ELFFault) -> ByteView {
        // A spare byte: zlib needs a valid pointer even if nothing is written. SAFETY: `body` gets
        // exactly the requested size; on an error the block is freed here.
        guard let count = Int(exactly: size), count < Int.max, let base = unsafe malloc(count + 1)
        else {
            throw .outOfMemory(size)
        }
        do throws(ELFFault) {
            try unsafe body(UnsafeMutableRawBufferPointer(start: base, count: count))
        } catch {
            unsafe free(base)
            throw error
        }
        // SAFETY: all bytes were written by `body`; the storage frees the block once.
        return unsafe ByteView(
            ByteStorage(base: UnsafeRawPointer(base), count: count) { unsafe free(base) })
    }
}
