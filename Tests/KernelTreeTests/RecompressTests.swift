// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import TestSupport
import Testing

@testable import KernelTree

/// Modules compressed for kernels to read.
@Suite struct RecompressTests {
    private static let formats: [CompressionFormat] = [.gzip, .xz, .zstd]

    private static func sample(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { _ in UInt8.random(in: 0..<8, using: &random) }
    }

    @Test(arguments: formats) func roundTrip(_ format: CompressionFormat) throws {
        for count in [0, 1, 1000, 300_000] {
            let input = Self.sample(count)
            let packed = try compressModule([ByteView(input)], as: format)
            #expect(CompressionFormat.detect(ByteView(packed)) == format)
            let back = try decompressCounting(ByteView(packed), format: format)
            #expect(back.bytes.array == input && back.consumed == packed.count, "one stream")
            #expect(count < 1000 || packed.count < count)
        }
    }

    @Test(arguments: formats) func piecesMakeNoDifference(_ format: CompressionFormat) throws {
        let input = Self.sample(70_000)
        let whole = try compressModule([ByteView(input)], as: format)
        let pieces = [0..<1, 1..<1, 1..<65_537, 65_537..<70_000].map { ByteView(Array(input[$0])) }
        #expect(try compressModule(pieces, as: format) == whole)
    }

    /// Neither a name nor a time, nor any other field.
    @Test func gzipHeader() throws {
        let packed = try compressModule([ByteView(Self.sample(100))], as: .gzip)
        #expect(packed[0..<8] == [0x1f, 0x8b, 8, 0, 0, 0, 0, 0])
    }

    /// CRC32, one filter, which is LZMA2 with a dictionary of 1 MiB.
    @Test func xzLimits() throws {
        let large = [UInt8](repeating: 0x6b, count: 3 << 20)
        let packed = try compressModule([ByteView(large)], as: .xz)
        #expect(packed[6..<8] == [0, 1], "stream flags")
        #expect(packed[13] & 3 == 0, "filters less one")
        // Behind the sizes, where there are such.
        #expect((14..<30).contains { packed[$0..<$0 + 3] == [0x21, 1, 16] })
    }

    @Test func otherFormats() {
        for format in CompressionFormat.allCases where !format.isOfModules {
            #expect(throws: CompressionError.self) {
                try compressModule([ByteView([1])], as: format)
            }
        }
    }
}
