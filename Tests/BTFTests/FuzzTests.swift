// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// Damaged BTF, in numbers: everything that reads it must come to an end, with a result or an
/// error, and what is made of it must be whole.
@Suite struct FuzzTests {
    /// Some types of every kind.
    private static func fill(_ asm: inout BTFAssembler, _ prefix: String) {
        let int = asm.int(prefix + "int")
        let pointer = asm.pointer(asm.nextID + 1)
        let list = asm.structure(
            prefix + "list", size: 16, [("next", pointer, 0), ("count", int, 64)])
        let array = asm.array(asm.array(int, index: int, 3), index: int, 2)
        asm.bitfields(prefix + "bits", size: 24, [("a", int, 0, 3), ("b", int, 3, 5)])
        asm.structure(size: 8, union: true, [("x", int, 0), ("y", asm.float("f", size: 8), 0)])
        asm.enumeration(prefix + "e", signed: true, [("minus", -1), ("one", 1)])
        asm.enumeration64(prefix + "e64", [("large", 1 << 40)])
        let forward = asm.forward(prefix + "unknown")
        let tag = asm.typeTag("user", forward)
        let proto = asm.prototype(
            returns: int, [("p", asm.pointer(tag)), ("q", asm.wrap(.const, pointer)), ("", 0)])
        let function = asm.function(prefix + "function", proto)
        asm.declTag("tag", function, component: 1)
        asm.typedef(prefix + "t", asm.wrap(.volatile, asm.wrap(.restrict, asm.pointer(array))))
        let variable = asm.variable(prefix + "v", list)
        asm.section(".data", size: 16, [(variable, 0, 16)])
    }

    private static func damage(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            // Words are what BTF is made of.
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let word = Int.random(in: 0..<3, using: &random) > 0
            let start = word ? place & ~3 : place
            let value: UInt32 =
                Int.random(in: 0..<2, using: &random) == 0
                ? UInt32.random(in: 0..<64, using: &random)
                : [0, 1, 0xff, 0xffff, 0x100_0000, 0x7fff_ffff, 0xffff_ffff].randomElement(
                    using: &random)!
            for index in 0..<(word ? 4 : 1) where start + index < bytes.count {
                bytes[start + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
            }
        }
    }

    private static func readAll(_ btf: BTF) throws {
        _ = try text(btf, .raw)
        _ = try text(btf, .json)
        _ = check(btf)
        #expect(compare(btf, btf).isEqual)
        _ = repeats(in: btf)
        for order in [COptions.Order.sorted, .byID] {
            _ = try? text(btf, .c, nil, COptions(order: order))
        }
        _ = try? btf.sortedByName()
    }

    private static func expectWhole(_ bytes: [UInt8], base: BTF?) throws {
        let btf = try BTF.parse(ByteView(bytes), base: base)
        try btf.checkReferences()
    }

    @Test(arguments: 0..<4) func readersEnd(_ seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        var clock = FuzzClock(rounds: 40)
        var good = BTFAssembler()
        Self.fill(&good, "")
        let sound = try good.parse()
        let index = BaseIndex(sound)
        var split = BTFAssembler(base: sound)
        Self.fill(&split, "own_")
        split.structure("user", size: 16, [("l", 3, 0)])
        split.pointer(9)
        var parsed = 0
        while clock.goesOn() {
            var bytes = good.bytes()
            Self.damage(&bytes, &random)
            _ = check(ByteView(bytes))
            if let btf = try? BTF.parse(ByteView(bytes)) {
                parsed += 1
                try Self.readAll(btf)
                if let result = try? btf.rebased(onto: index) {
                    try Self.expectWhole(result.bytes, base: sound)
                }
                if let result = try? btf.renumbered(onto: index) {
                    try Self.expectWhole(result.bytes, base: sound)
                }
                // A damaged base below what is sound.
                if let own = try? BTF.parse(ByteView(split.bytes()), base: btf) {
                    try Self.readAll(own)
                    _ = try? own.distilled()
                    _ = try? own.rebased(onto: index)
                }
                // Whoever indexes a base sees to this.
                if (try? btf.checkReferences()) != nil,
                    let result = try? sound.rebased(onto: BaseIndex(btf))
                {
                    try Self.expectWhole(result.bytes, base: btf)
                }
            }
            bytes = split.bytes()
            Self.damage(&bytes, &random)
            guard let own = try? BTF.parse(ByteView(bytes), base: sound) else { continue }
            parsed += 1
            try Self.readAll(own)
            if let result = try? own.rebased(onto: index) {
                try Self.expectWhole(result.bytes, base: sound)
            }
            guard let distilled = try? own.distilled() else { continue }
            let small = try BTF.parse(ByteView(distilled.base))
            try Self.expectWhole(distilled.split, base: small)
            var image = distilled.base
            Self.damage(&image, &random)
            guard let base = try? BTF.parse(ByteView(image)),
                let moving = try? BTF.parse(ByteView(distilled.split), base: base)
            else { continue }
            if let result = try? moving.relocated(onto: sound) {
                try Self.expectWhole(result.bytes, base: sound)
            }
        }
        #expect(parsed > 4)
    }
}
