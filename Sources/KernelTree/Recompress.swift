// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import CLzma
import CZlib
import CZstd

/// Why a module could not be compressed.
package struct CompressionError: Error, CustomStringConvertible {
    package let format: CompressionFormat

    package var description: String { "not enough memory to compress it (\(format.name))" }
}

extension CompressionFormat {
    /// Modules may use it: kernels and kmod read gzip, xz and zstd.
    package var isOfModules: Bool { self == .gzip || self == .xz || self == .zstd }
}

/// Compresses a module as the kernel's `make modules_install` does, so that kernels can decompress
/// it themselves: one stream, without name or time. With one thread and a fixed level, the bytes
/// are the same on every machine with the same libraries.
///
/// | format | as | why |
/// |---|---|---|
/// | gzip | `gzip -n` | the kernel's reader skips no optional header field except the name |
/// | xz | `xz --check=crc32 --lzma2=dict=1MiB` | it supports no other check, and allocates the dictionary |
/// | zstd | `zstd` | it reads one frame; the window is at most 2 MiB |
///
/// - Parameters:
///   - chunks: the module's contents, in order.
///   - format: one used for modules, see `CompressionFormat.isOfModules`.
package func compressModule(
    _ chunks: [ByteView], as format: CompressionFormat
) throws(CompressionError) -> [UInt8] {
    var input: [UInt8] = []
    input.reserveCapacity(chunks.reduce(0) { $0 + $1.count })
    for chunk in chunks { input.append(contentsOf: chunk.array) }
    let made =
        switch format {
        case .gzip: unsafe gzip(input)
        case .xz: unsafe xz(input)
        case .zstd: unsafe zstd(input)
        default: [UInt8]?.none
        }
    guard let made else { throw CompressionError(format: format) }
    return made
}

@unsafe
private func gzip(_ input: [UInt8]) -> [UInt8]? {
    var state = unsafe z_stream()
    // SAFETY: the state is initialised here and ended below.
    guard
        unsafe deflateInit2_(
            &state, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return nil }
    defer { _ = unsafe deflateEnd(&state) }
    let room = Int(unsafe deflateBound(&state, UInt(input.count)))
    // zlib counts in 32 bits.
    guard input.count < 1 << 31, room < 1 << 31 else { return nil }
    // SAFETY: zlib reads and writes only within the buffers and does not write to its input.
    return unsafe withRoom(room, input) { source, target in
        unsafe state.next_in = UnsafeMutablePointer(
            mutating: source.baseAddress?.assumingMemoryBound(to: UInt8.self))
        unsafe state.avail_in = UInt32(source.count)
        unsafe state.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe state.avail_out = UInt32(target.count)
        guard unsafe deflate(&state, Z_FINISH) == Z_STREAM_END else { return nil }
        return target.count - Int(unsafe state.avail_out)
    }
}

@unsafe
private func xz(_ input: [UInt8]) -> [UInt8]? {
    var options = unsafe lzma_options_lzma()
    guard unsafe lzma_lzma_preset(&options, 6) == 0 else { return nil }
    unsafe options.dict_size = 1 << 20
    let room = lzma_stream_buffer_bound(input.count)
    // SAFETY: the options outlive the filters, and liblzma reads and writes only within the
    // buffers.
    return unsafe withUnsafeMutablePointer(to: &options) { options in
        var filters = unsafe [
            lzma_filter(id: lzma_vli(0x21), options: options),
            lzma_filter(id: UInt64.max, options: nil),
        ]
        return unsafe withRoom(room, input) { source, target in
            var made = 0
            let status = unsafe lzma_stream_buffer_encode(
                &filters, LZMA_CHECK_CRC32, nil,
                source.baseAddress?.assumingMemoryBound(to: UInt8.self), source.count,
                target.baseAddress?.assumingMemoryBound(to: UInt8.self), &made, target.count)
            return status == LZMA_OK ? made : nil
        }
    }
}

@unsafe
private func zstd(_ input: [UInt8]) -> [UInt8]? {
    guard let state = unsafe ZSTD_createCCtx() else { return nil }
    // SAFETY: freed once, here.
    defer { _ = unsafe ZSTD_freeCCtx(state) }
    guard ZSTD_isError(unsafe ZSTD_CCtx_setParameter(state, ZSTD_c_checksumFlag, 1)) == 0
    else { return nil }
    // SAFETY: zstd reads and writes only within the buffers.
    return unsafe withRoom(ZSTD_compressBound(input.count), input) { source, target in
        let made = unsafe ZSTD_compress2(
            state, target.baseAddress, target.count, source.baseAddress, source.count)
        return ZSTD_isError(made) == 0 ? made : nil
    }
}

/// Passes `body` the input and room for `count` bytes, and keeps as many as it says it wrote.
@unsafe
private func withRoom(
    _ count: Int, _ input: [UInt8],
    _ body: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) -> Int?
) -> [UInt8]? {
    var isMade = true
    let output = unsafe [UInt8](unsafeUninitializedCapacity: count) { target, made in
        // SAFETY: both buffers are valid during the call, and `body` wrote as many bytes as it
        // returns.
        let written = unsafe input.withUnsafeBytes {
            unsafe body($0, UnsafeMutableRawBufferPointer(target))
        }
        made = written ?? 0
        isMade = written != nil
    }
    return isMade ? output : nil
}
