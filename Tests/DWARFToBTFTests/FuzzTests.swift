// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import DWARF
import DWARFToBTF
import ELF
import TestSupport
import Testing

/// Damaged debug information, in numbers. It must be read to an end, into BTF that holds together
/// or an error, and the fast ways of reading must say what the careful one says.
///
/// What has failed once stays as a test of its own, in HostileTests or BrokenTests.
@Suite struct FuzzTests {
    /// One to three changes, of one byte to eight, at places that `pick` gives.
    private static func damage(
        _ image: inout DWARFImage, upTo ends: [String: Int], _ random: inout SeededRandom
    ) {
        let names = Array(ends.keys).sorted()
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let name = names.randomElement(using: &random)!
            guard let section = image.sections.firstIndex(where: { $0.name == name }),
                let end = ends[name], end > 0
            else { continue }
            let place = Int.random(in: 0..<end, using: &random)
            let width = [1, 1, 1, 2, 4, 8].randomElement(using: &random)!
            let value = [0, 1, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &random)]
                .randomElement(using: &random)!
            for at in place..<min(end, place + width) { image.sections[section].bytes[at] = value }
        }
    }

    private static func outcome(_ image: DWARFImage, jobs: Int = 1) -> String {
        do {
            let elf = try image.file()
            var options = EncodeOptions()
            options.keepsLedger = true
            options.jobs = jobs
            let result = try encode(elf, DWARFData(elf), base: nil, options: options)
            if result.bytes.isEmpty { return "nothing" }
            let btf = try BTF.parse(ByteView(result.bytes))
            for record in btf.ownRecords {
                for id in record.references {
                    if id.rawValue >= btf.typeCount { return "dangling \(record.id) -> \(id)" }
                }
            }
            let notes = result.ledger?.entries.map { "\($0.name): \($0.reason.rawValue)" } ?? []
            return "\(result.bytes) \(notes)"
        } catch { return "\(error)" }
    }

    /// A damaged file with a sound unit at the end, which takes `bytes`. Where units end stays as
    /// it was: what is behind them must not matter.
    private static func file(_ seed: Int, damage: UInt64, padding bytes: Int) -> DWARFImage {
        var asm = RepeatedTypeTests.file(seed, bigEndian: false, units: 1 + seed % 2)
        let ends = [".debug_info": asm.info.count, ".debug_abbrev": asm.abbrev.count]
        let units = asm.unitOffsets
        asm.padding(bytes)
        var image = asm.image()
        let sound = image.sections[0].bytes
        var random = SeededRandom(seed: damage)
        Self.damage(&image, upTo: ends, &random)
        for unit in units {
            for at in unit..<unit + 4 { image.sections[0].bytes[at] = sound[at] }
        }
        return image
    }

    /// The fast ways keep off the last bytes of a section: with a little behind them, units are
    /// read the careful way, with more the fast ways.
    @Test(arguments: 0..<4) func fastAndCarefulWaysAgree(_ seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        var clock = FuzzClock(rounds: 150)
        var round = 0
        while clock.goesOn() {
            let number = Int.random(in: 0..<1000, using: &random)
            let change = random.next()
            let outcomes = [1, 8000].map {
                Self.outcome(Self.file(number, damage: change, padding: $0))
            }
            #expect(
                outcomes[0] == outcomes[1],
                "seed \(seed), round \(round): file \(number), damage \(change)")
            #expect(!outcomes[0].hasPrefix("dangling"))
            round += 1
        }
    }

    /// Everything at once, on one thread and on several.
    @Test(arguments: 0..<2) func threadsAgree(_ seed: Int) {
        var random = SeededRandom(seed: 100 + UInt64(seed))
        var clock = FuzzClock(rounds: 40)
        while clock.goesOn() {
            var asm = RepeatedTypeTests.file(
                Int.random(in: 0..<1000, using: &random), bigEndian: false, units: 8)
            asm.padding()
            var image = asm.image()
            image.function("f", at: 0)
            let ends = Dictionary(
                uniqueKeysWithValues: image.sections.filter { $0.name.hasPrefix(".debug") }.map {
                    ($0.name, $0.bytes.count)
                })
            Self.damage(&image, upTo: ends, &random)
            #expect(Self.outcome(image) == Self.outcome(image, jobs: 3))
        }
    }
}
