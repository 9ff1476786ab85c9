// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CLz4
import CLzma
import CZlib
import CZstd

@testable import KernelTree

/// The other direction, by the same libraries that the distributions' tools use.
func compress(_ input: [UInt8], _ format: CompressionFormat) -> [UInt8] {
    switch format {
    case .gzip: gzip(input)
    case .xz: xz(input, alone: false)
    case .lzma: xz(input, alone: true)
    case .zstd: zstd(input)
    case .lz4: lz4Frame(input)
    case .lz4Legacy: lz4Legacy(input)
    case .bzip2: Array("BZh9".utf8) + [0x31, 0x41, 0x59, 0x26, 0x53, 0x59] + input
    case .lzo: [0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a] + input
    }
}

private func gzip(_ input: [UInt8]) -> [UInt8] {
    var state = z_stream()
    guard
        deflateInit2_(
            &state, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return [] }
    defer { deflateEnd(&state) }
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&state, UInt(input.count))) + 64)
    var source = input
    let made = source.withUnsafeMutableBufferPointer { source in
        output.withUnsafeMutableBufferPointer { target in
            state.next_in = source.baseAddress
            state.avail_in = UInt32(source.count)
            state.next_out = target.baseAddress
            state.avail_out = UInt32(target.count)
            deflate(&state, Z_FINISH)
            return Int(state.total_out)
        }
    }
    return Array(output.prefix(made))
}

private func xz(_ input: [UInt8], alone: Bool) -> [UInt8] {
    var state = lzma_stream()
    var options = lzma_options_lzma()
    lzma_lzma_preset(&options, 6)
    let started =
        alone
        ? lzma_alone_encoder(&state, &options) : lzma_easy_encoder(&state, 6, LZMA_CHECK_CRC32)
    guard started == LZMA_OK else { return [] }
    defer { lzma_end(&state) }
    var output = [UInt8](repeating: 0, count: lzma_stream_buffer_bound(input.count) + 64)
    return input.withUnsafeBufferPointer { source in
        let made = output.withUnsafeMutableBufferPointer { target in
            state.next_in = source.baseAddress
            state.avail_in = source.count
            state.next_out = target.baseAddress
            state.avail_out = target.count
            while lzma_code(&state, LZMA_FINISH) == LZMA_OK {}
            return Int(state.total_out)
        }
        return Array(output.prefix(made))
    }
}

/// As a stream, so that the header does not tell the size: kernels are compressed through a pipe.
func zstd(_ input: [UInt8], tellsSize: Bool = false) -> [UInt8] {
    let context = ZSTD_createCCtx()
    defer { ZSTD_freeCCtx(context) }
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, tellsSize ? 1 : 0)
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    var output = [UInt8](repeating: 0, count: ZSTD_compressBound(input.count))
    let made = ZSTD_compress2(context, &output, output.count, input, input.count)
    return Array(output.prefix(made))
}

private func lz4Frame(_ input: [UInt8]) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: LZ4F_compressFrameBound(input.count, nil))
    let made = LZ4F_compressFrame(&output, output.count, input, input.count, nil)
    return Array(output.prefix(made))
}

private func lz4Legacy(_ input: [UInt8]) -> [UInt8] {
    var result: [UInt8] = [0x02, 0x21, 0x4c, 0x18]
    var at = 0
    while at < input.count {
        let count = min(8 << 20, input.count - at)
        var output = [UInt8](repeating: 0, count: Int(LZ4_compressBound(Int32(count))))
        let made = input.withUnsafeBytes { source in
            output.withUnsafeMutableBytes { target in
                LZ4_compress_default(
                    (source.baseAddress! + at).assumingMemoryBound(to: CChar.self),
                    target.baseAddress!.assumingMemoryBound(to: CChar.self), Int32(count),
                    Int32(target.count))
            }
        }
        result += Assembled.little(UInt32(made)) + output.prefix(Int(made))
        at += count
    }
    return result
}

/// A zstd frame of zeros, each 128 KiB of them in four bytes (RFC 8878 3.1.1.2, RLE_Block).
func zstdBomb(_ count: Int) -> [UInt8] {
    let block = 128 << 10
    // Magic; no checksum, no size, no dictionary; window 128 MiB.
    var bytes: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88]
    let blocks = count / block
    for index in 0..<blocks {
        let header = UInt32(block) << 3 | 1 << 1 | (index == blocks - 1 ? 1 : 0)
        bytes += Assembled.little(header).prefix(3) + [0]
    }
    return bytes
}
