// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import CZlib
import CZstd
import ELF
import Testing

@Suite struct InflateTests {
    static let plain = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 * $0 >> 7) }

    static func zlib(_ bytes: [UInt8]) -> [UInt8] {
        var size = compressBound(UInt(bytes.count))
        var out = [UInt8](repeating: 0, count: Int(size))
        #expect(compress2(&out, &size, bytes, UInt(bytes.count), 9) == Z_OK)
        return Array(out[..<Int(size)])
    }

    static func zstd(_ bytes: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
        let size = ZSTD_compress(&out, out.count, bytes, bytes.count, 3)
        #expect(ZSTD_isError(size) == 0)
        return Array(out[..<size])
    }

    static func header(_ type: UInt64, _ size: UInt64, _ flavor: Flavor) -> [UInt8] {
        let assembler = ELFAssembler(flavor: flavor)
        return flavor.is64Bit
            ? assembler.number(type, 4) + assembler.number(0, 4) + assembler.number(size, 8)
                + assembler.number(1, 8)
            : assembler.number(type, 4) + assembler.number(size, 4) + assembler.number(1, 4)
    }

    static func read(
        _ data: [UInt8], _ flavor: Flavor = Flavor(), name: String = ".debug_info",
        flags: UInt64 = 0x800
    ) throws -> [UInt8] {
        var assembler = ELFAssembler(flavor: flavor)
        assembler.add(.init(name: name, flags: flags, data: data))
        let file = try ELFFile(assembler.view(), path: "a")
        let section = try #require(file.debugSection(named: ".debug_info"))
        return try file.data(of: section).array
    }

    @Test(arguments: Flavor.all) func bothKinds(_ flavor: Flavor) throws {
        let size = UInt64(Self.plain.count)
        #expect(
            try Self.read(Self.header(1, size, flavor) + Self.zlib(Self.plain), flavor)
                == Self.plain)
        #expect(
            try Self.read(Self.header(2, size, flavor) + Self.zstd(Self.plain), flavor)
                == Self.plain)
        let big = ELFAssembler(flavor: .init(bigEndian: true))
        let old = Array("ZLIB".utf8) + big.number(size, 8) + Self.zlib(Self.plain)
        #expect(try Self.read(old, flavor, name: ".zdebug_info", flags: 0) == Self.plain)
    }

    @Test func nothingInside() throws {
        #expect(try Self.read(Self.header(1, 0, Flavor()) + Self.zlib([])) == [])
        #expect(try Self.read(Self.header(2, 0, Flavor()) + Self.zstd([])) == [])
    }

    @Test func zerosReachTheRatios() throws {
        let zeros = [UInt8](repeating: 0, count: 8 << 20)
        #expect(try Self.read(Self.header(1, 8 << 20, Flavor()) + Self.zlib(zeros)) == zeros)
        #expect(try Self.read(Self.header(2, 8 << 20, Flavor()) + Self.zstd(zeros)) == zeros)
    }

    @Test(arguments: [UInt64(1), 2]) func sizesThatLie(_ type: UInt64) throws {
        let stream = type == 1 ? Self.zlib(Self.plain) : Self.zstd(Self.plain)
        let honest = UInt64(Self.plain.count)
        for claimed in [0, 1, honest - 1, honest + 1, honest * 10] {
            let error = #expect(throws: ELFError.self, "\(claimed)") {
                try Self.read(Self.header(type, claimed, Flavor()) + stream)
            }
            guard case .badCompression = error?.fault else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        for claimed in [UInt64(1) << 40, .max, UInt64(Int64.max)] {
            let error = #expect(throws: ELFError.self) {
                try Self.read(Self.header(type, claimed, Flavor()) + stream)
            }
            #expect(error?.fault == .inflatesTooMuch(claimed: claimed, from: UInt64(stream.count)))
        }
    }

    @Test func brokenStreams() throws {
        for length in 0..<24 {
            #expect(throws: ELFError.self) { try Self.read([UInt8](repeating: 1, count: length)) }
        }
        #expect(throws: ELFError.self) { try Self.read(Self.header(3, 5, Flavor()) + [1, 2]) }
        for type in [UInt64(1), 2] {
            var stream = type == 1 ? Self.zlib(Self.plain) : Self.zstd(Self.plain)
            #expect(throws: ELFError.self) {
                try Self.read(Self.header(type, 50_000, Flavor()) + stream.dropLast(9))
            }
            stream[0] ^= 0xff
            #expect(throws: ELFError.self) {
                try Self.read(Self.header(type, 50_000, Flavor()) + stream)
            }
        }
        #expect(throws: ELFError.self) {
            try Self.read(Array("ZLIB".utf8) + [0, 0], name: ".zdebug_info", flags: 0)
        }
    }

    @Test func relocatedAfterwards() throws {
        var assembler = ELFAssembler()
        let target = assembler.add(
            .init(
                name: ".debug_info", flags: 0x800,
                data: Self.header(1, 50_000, Flavor()) + Self.zlib(Self.plain)))
        let symbols = assembler.add(symbols: [.init(value: 0x10, section: 1)])
        assembler.add(relocations: [.init(place: 40_000, type: 10)], to: target, symbols: symbols)
        let file = try ELFFile(assembler.view(), path: "a")
        var expected = Self.plain
        expected.replaceSubrange(40_000..<40_004, with: [0x10, 0, 0, 0])
        #expect(try file.data(of: file.sections[target]).array == expected)
    }
}
