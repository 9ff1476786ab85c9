// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// Decompressed data, and how much input it took.
package struct Decompressed: Sendable {
    package let bytes: ByteView
    /// Bytes of the input up to the end of the stream.
    package let consumed: Int
}

/// How far compressed data may grow before it is refused.
package enum DecompressionLimit {
    /// The most that is ever decompressed: 2 GiB. A vmlinux with all its debug information takes
    /// 0.6.
    package static let absolute = 2 << 30
    /// Inputs too small for the ratio to mean anything may still grow to this.
    package static let allowance = 64 << 20
    /// The largest growth per byte, close to deflate's maximum (1032). Kernels stay below 20.
    package static let ratio = 1024

    /// The limit for an input of `count` bytes.
    package static func bytes(forInput count: Int) -> Int {
        // Byte counts in memory are far below Int.max / 1024.
        min(absolute, max(allowance, count * ratio))
    }
}

/// Decompresses the stream at the start of `view`. Bytes after its end are ignored: kernel images
/// append the size of the contents, and more.
///
/// - Parameters:
///   - concatenated: continue with streams of the same format that follow immediately, as the
///     format's own tool does (`cat a.gz b.gz`, pigz).
///   - limit: most bytes to produce, see `DecompressionLimit`.
/// - Throws: `DecompressionError` for damaged or truncated data, for more than `limit` bytes, and
///   for bzip2 and lzo, which are not supported.
package func decompress(
    _ view: ByteView, format: CompressionFormat, concatenated: Bool = false, limit: Int? = nil
) throws(DecompressionError) -> ByteView {
    try decompressCounting(view, format: format, concatenated: concatenated, limit: limit).bytes
}

/// `decompress` that also returns where the stream ended.
package func decompressCounting(
    _ view: ByteView, format: CompressionFormat, concatenated: Bool = false, limit: Int? = nil
) throws(DecompressionError) -> Decompressed {
    var produced = 0
    return try decompressStreams(
        view, format: format, concatenated: concatenated,
        limit: min(
            limit ?? DecompressionLimit.bytes(forInput: view.count), DecompressionLimit.absolute),
        produced: &produced)
}

/// - Parameter produced: set to the size of the output, also if the rest is damaged.
func decompressStreams(
    _ view: ByteView, format: CompressionFormat, concatenated: Bool, limit: Int, produced: inout Int
) throws(DecompressionError) -> Decompressed {
    guard format.isSupported else {
        let tool = format == .bzip2 ? "bunzip2" : "lzop -d"
        throw .init(
            format,
            .unsupported(
                "\(format.name) compression is not supported: decompress it with `\(tool)`"))
    }
    // Kernels grow to about four times their compressed size; a large file may be compressed far
    // less.
    var output = try GrowingBuffer(format, hint: min(view.count, 1 << 28) * 4, limit: max(limit, 0))
    var position = 0
    repeat {
        guard let rest = view.slice(position, view.count - position) else { break }
        defer { produced = output.count }
        // SAFETY: the codecs read only within the bytes they are given, and keep no pointer to
        // them.
        position += try unsafe rest.withUnsafeBytes { bytes throws(DecompressionError) -> Int in
            switch format {
            case .gzip: try unsafe gunzip(bytes, into: &output)
            case .xz, .lzma: try unsafe unxz(bytes, format, into: &output)
            case .zstd: try unsafe unzstd(bytes, into: &output)
            case .lz4: try unsafe unlz4(bytes, into: &output)
            case .lz4Legacy: try unsafe unlz4Legacy(bytes, into: &output)
            case .bzip2, .lzo: 0
            }
        }
        if format == .xz, concatenated {
            // xz file format 2.2: zero bytes in multiples of four may separate streams.
            while view.matches([0, 0, 0, 0], at: position) { position += 4 }
        }
    } while concatenated && format != .lzma
        && CompressionFormat.detect(view, at: position) == format
    return Decompressed(bytes: output.finish(), consumed: position)
}
