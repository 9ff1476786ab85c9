// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import TestSupport
import Testing

@testable import KernelTree

private let supported = CompressionFormat.allCases.filter(\.isSupported)

/// Text and noise: compresses, but not to nothing.
private let sample: [UInt8] = {
    var bytes: [UInt8] = []
    for index in 0..<3000 { bytes += Array("line \(index) of a file\n".utf8) }
    return bytes + Assembled.noise(20_000, seed: 11)
}()

@Suite struct DecompressTests {
    @Test(arguments: supported)
    func roundTrip(_ format: CompressionFormat) throws {
        let packed = compress(sample, format)
        let view = ByteView(packed)
        #expect(CompressionFormat.detect(view) == format)
        let result = try decompressCounting(view, format: format)
        #expect(result.bytes.array == sample)
        #expect(result.consumed == packed.count)
    }

    @Test(arguments: supported)
    func severalBlocks(_ format: CompressionFormat) throws {
        // More than two blocks of legacy lz4, whose blocks are the largest.
        let size = format == .lz4Legacy ? 18 << 20 : 2 << 20
        var large: [UInt8] = []
        while large.count < size { large += sample }
        let result = try decompress(ByteView(compress(large, format)), format: format)
        #expect(result.array == large)
    }

    @Test func fullLastBlockOfLegacyLz4() throws {
        // Exactly one block: only what follows says that it was the last.
        let block = Assembled.noise(8 << 20, seed: 2)
        let packed = compress(block, .lz4Legacy)
        let size = Assembled.little(48 << 20)
        for tail in [[], Assembled.little(8 << 20), size, size + [0xff, 0xff, 0xff]] {
            let result = try decompressCounting(ByteView(packed + tail), format: .lz4Legacy)
            #expect(result.bytes.count == block.count)
            #expect(result.consumed == packed.count)
        }
    }

    @Test(arguments: supported)
    func bytesBehindTheStream(_ format: CompressionFormat) throws {
        let packed = compress(sample, format)
        for tail in [Assembled.little(UInt32(sample.count)), Assembled.noise(5000, seed: 1), [0]] {
            for concatenated in [false, true] {
                let result = try decompressCounting(
                    ByteView(packed + tail), format: format, concatenated: concatenated)
                #expect(result.bytes.array == sample)
                #expect(result.consumed == packed.count)
            }
        }
    }

    @Test(arguments: [CompressionFormat.gzip, .xz, .zstd, .lz4, .lz4Legacy])
    func concatenated(_ format: CompressionFormat) throws {
        let packed = compress(sample, format)
        let twice = ByteView(packed + packed)
        #expect(try decompress(twice, format: format, concatenated: true).array == sample + sample)
        #expect(try decompress(twice, format: format).array == sample)
    }

    @Test func zstdFramesThatTellTheirSizeOrAreSkippable() throws {
        let plain = zstd(sample, tellsSize: true)
        #expect(try decompress(ByteView(plain), format: .zstd).array == sample)
        let skippable: [UInt8] = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 9, 9, 9, 9] + plain
        #expect(CompressionFormat.detect(ByteView(skippable)) == .zstd)
        let result = try decompressCounting(ByteView(skippable), format: .zstd)
        #expect(result.bytes.array == sample)
        #expect(result.consumed == skippable.count)
        // The size that kbuild appends is a hint, no more.
        for size in [0, 1, UInt32(sample.count) - 1, UInt32(sample.count) + 1, .max] {
            let packed = ByteView(zstd(sample) + Assembled.little(size))
            #expect(try decompress(packed, format: .zstd).array == sample)
        }
    }

    @Test(arguments: supported)
    func cutShort(_ format: CompressionFormat) {
        let packed = compress(sample, format)
        for end in stride(from: 0, to: packed.count, by: 1024) {
            #expect(throws: DecompressionError.self) {
                try decompress(ByteView(Array(packed[..<end])), format: format)
            }
        }
        let error = #expect(throws: DecompressionError.self) {
            try decompress(ByteView(Array(packed.dropLast(30))), format: format)
        }
        #expect(error?.reason == .truncated)
        #expect(error?.description == "\(format.name) data is truncated")
    }

    /// Error or result: anything but a trap, a hang, or more than the limit.
    @Test(arguments: supported)
    func damaged(_ format: CompressionFormat) {
        let packed = compress(sample, format)
        let seed: UInt64 = 20_261_121
        var generator = SeededRandom(seed: seed)
        for _ in 0..<300 {
            var bytes = packed
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let at = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[at] = UInt8.random(in: 0...255, using: &generator)
            }
            if let result = try? decompress(ByteView(bytes), format: format, limit: 1 << 20) {
                #expect(result.count <= 1 << 20)
            }
        }
    }

    @Test(arguments: supported)
    func limit(_ format: CompressionFormat) throws {
        let packed = ByteView(compress(sample, format))
        #expect(try decompress(packed, format: format, limit: sample.count).array == sample)
        for limit in [0, 1, 70_000, sample.count - 1] {
            let error = #expect(throws: DecompressionError.self) {
                try decompress(packed, format: format, limit: limit)
            }
            #expect(error?.reason == .tooLarge(limit: limit))
        }
    }

    @Test func bombsAreRefused() throws {
        let bomb = ByteView(zstdBomb(10 << 30))
        #expect(bomb.count < 400_000)
        let error = #expect(throws: DecompressionError.self) { try decompress(bomb, format: .zstd) }
        #expect(error?.reason == .tooLarge(limit: bomb.count * 1024))
        #expect(
            error?.description
                == "zstd data decompresses to more than 320 MiB, which is the limit for its size")
        // The ends of the rule.
        #expect(DecompressionLimit.bytes(forInput: 10) == 64 << 20)
        #expect(DecompressionLimit.bytes(forInput: 1 << 30) == 2 << 30)
        // One that stays below is what it says.
        #expect(try decompress(ByteView(zstdBomb(8 << 20)), format: .zstd).count == 8 << 20)
    }

    @Test func sizesThatAreClaimedAreNotBelieved() {
        // A frame that says it holds 1 TiB, and a window of 3.75 TiB.
        let claims: [[UInt8]] = [
            [0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0],
            [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 1, 0, 0],
        ]
        for claim in claims {
            #expect(throws: DecompressionError.self) {
                try decompress(ByteView(claim), format: .zstd)
            }
        }
        // An lzma file with a dictionary of 1.5 GiB.
        let lzma: [UInt8] =
            [0x5d, 0, 0, 0, 0x60] + [UInt8](repeating: 0xff, count: 8) + [0, 0, 0, 0]
        #expect(CompressionFormat.detect(ByteView(lzma)) == .lzma)
        let error = #expect(throws: DecompressionError.self) {
            try decompress(ByteView(lzma), format: .lzma)
        }
        #expect(error?.description == "lzma data needs more than 512 MiB to decompress")
    }

    @Test(arguments: [CompressionFormat.bzip2, .lzo])
    func refusedByName(_ format: CompressionFormat) {
        let packed = ByteView(compress(sample, format))
        #expect(CompressionFormat.detect(packed) == format)
        let error = #expect(throws: DecompressionError.self) {
            try decompress(packed, format: format)
        }
        #expect(error?.description.hasPrefix("\(format.name) compression is not supported") == true)
    }

    @Test func detectionNeedsWholeMagic() {
        for format in CompressionFormat.allCases {
            let packed = compress([1, 2, 3], format)
            let least = format == .gzip ? 4 : format == .lzma ? 13 : format == .xz ? 6 : 4
            for end in 0..<least {
                #expect(CompressionFormat.detect(ByteView(Array(packed[..<end]))) == nil)
            }
        }
        #expect(CompressionFormat.detect(ByteView(Array("BZh9 is no bzip2".utf8))) == nil)
        #expect(CompressionFormat.detect(ByteView([1, 2, 3]), at: 99) == nil)
        #expect(CompressionFormat.detect(ByteView([1, 2, 3]), at: -1) == nil)
    }
}
