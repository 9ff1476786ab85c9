// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Why compressed data could not be read.
package struct DecompressionError: Error, Equatable, CustomStringConvertible {
    package enum Reason: Equatable, Sendable {
        /// The data ends inside the stream.
        case truncated
        /// The decoder found invalid data; its own words.
        case damaged(String)
        /// The output exceeds the limit.
        case tooLarge(limit: Int)
        /// The format or one of its options is not supported.
        case unsupported(String)
        case outOfMemory
    }

    package let format: CompressionFormat
    package let reason: Reason

    init(_ format: CompressionFormat, _ reason: Reason) {
        self.format = format
        self.reason = reason
    }

    /// `zstd data is truncated`
    package var description: String {
        switch reason {
        case .truncated: "\(format.name) data is truncated"
        case .damaged(let words): "\(format.name) data is damaged (\(words))"
        case .tooLarge(let limit):
            "\(format.name) data decompresses to more than \(DecompressionError.size(limit)), "
                + "which is the limit for its size"
        case .unsupported(let words): words
        case .outOfMemory: "not enough memory to decompress \(format.name) data"
        }
    }

    private static func size(_ bytes: Int) -> String {
        bytes >= 1 << 20 ? "\(bytes >> 20) MiB" : "\(bytes) bytes"
    }
}
