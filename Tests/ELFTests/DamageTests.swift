// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF
import TestSupport
import Testing

/// Broken files give errors or something, but never end the process.
@Suite struct DamageTests {
    static func victim(_ flavor: Flavor) -> [UInt8] {
        var assembler = ELFAssembler(flavor: flavor, machine: flavor.is64Bit ? 62 : 20)
        assembler.add(
            .init(name: ".text", flags: 6, data: [UInt8](repeating: 0x90, count: 32), alignment: 16)
        )
        let info = assembler.add(.init(name: ".debug_info", data: [UInt8](repeating: 1, count: 64)))
        assembler.add(
            .init(
                name: ".debug_str", flags: 0x800,
                data: InflateTests.header(1, 50_000, flavor)
                    + InflateTests.zlib(InflateTests.plain).prefix(200)))
        assembler.add(
            .init(name: ".zdebug_line", data: Array("ZLIB".utf8) + [0, 0, 0, 0, 0, 0, 0, 0, 0x78]))
        assembler.add(.init(name: ".BTF", data: [1, 2, 3]))
        let symbols = assembler.add(symbols: [
            .init(name: "f", value: 3, section: 1), .init(name: "g", section: 2),
        ])
        assembler.add(
            relocations: [
                .init(place: 4, type: flavor.is64Bit ? 10 : 1),
                .init(place: 60, type: 1, symbol: 2),
            ],
            to: info, symbols: symbols)
        assembler.segments = [(0, 128)]
        return assembler.image()
    }

    /// Asks for everything; gives how much worked.
    static func exercise(_ view: ByteView) -> Int {
        guard let file = try? ELFFile(view, path: "damaged") else { return 0 }
        var worked = 1
        for section in file.sections {
            if (try? file.rawData(of: section)) != nil { worked += 1 }
            if let data = try? file.data(of: section) {
                worked += 1
                if data.count > 1032 * view.count { Issue.record("too much came out") }
            }
        }
        if let symbols = try? file.symbols() {
            for symbol in symbols.prefix(1000) where (try? file.name(of: symbol)) != nil {
                worked += 1
            }
        }
        for removing in [[], [".zdebug_line"]] {
            let data = ByteView([1, 2, 3, 4])
            let replacing = [(name: ".BTF", data: data), (name: ".BTF.base", data: data)]
            guard
                let chunks = try? ELFEditor.image(
                    of: file, replacing: replacing, removing: removing)
            else {
                continue
            }
            worked += 1
            let edited = joined(chunks)
            #expect(edited.count <= view.count + 70_000 + 65 * file.sections.count)
            _ = try? ELFFile(edited, path: "edited")
        }
        return worked
    }

    @Test(arguments: Flavor.all) func cutShort(_ flavor: Flavor) {
        let bytes = Self.victim(flavor)
        let whole = Self.exercise(ByteView(bytes))
        #expect(whole > 15)
        for length in Array(stride(from: 0, to: bytes.count, by: 64)) + Array(0..<70) + [
            bytes.count - 1
        ] {
            #expect(Self.exercise(ByteView(Array(bytes[..<length]))) < whole)
        }
    }

    @Test(arguments: Flavor.all, [UInt64(1), 2, 3]) func randomDamage(
        _ flavor: Flavor, _ seed: UInt64
    ) {
        let bytes = Self.victim(flavor)
        var random = SeededRandom(seed: seed)
        let tableStart = bytes.count - 64 * 9
        var opened = 0
        for _ in 0..<1_500 {
            var copy = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                // Half of the hits go to the headers, where they hurt.
                let place =
                    Bool.random(using: &random)
                    ? Int.random(in: 0..<copy.count, using: &random)
                    : Int.random(in: 0..<64, using: &random)
                        + (Bool.random(using: &random) ? 0 : tableStart)
                let values: [UInt8] = [
                    0, 1, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &random),
                ]
                let value = values.randomElement(using: &random)!
                for index
                    in place..<min(copy.count, place + [1, 1, 4, 8].randomElement(using: &random)!)
                {
                    copy[index] = value
                }
            }
            if Self.exercise(ByteView(copy)) > 0 { opened += 1 }
        }
        #expect((300..<1500).contains(opened), "\(opened)")
    }

    @Test func everyHeaderByteAtItsLimits() {
        let bytes = Self.victim(Flavor())
        var opened = 0
        for place in 0..<64 {
            for value in [UInt8(0), 1, 2, 0x40, 0x80, 0xff] {
                var copy = bytes
                copy[place] = value
                if Self.exercise(ByteView(copy)) > 0 { opened += 1 }
            }
        }
        #expect((64..<384).contains(opened), "\(opened)")
    }
}
