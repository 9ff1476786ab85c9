// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// Files whose types the base has, all of them.
@Suite struct EmptySplitTests {
    private let asm = unit { unit in
        unit.add(.structureType, "s", [.name("s"), .byteSize(4)]) { $0.member("x", "int", at: 0) }
        unit.add(.pointerType, [.type("s")])
    }

    private func encode(
        _ asm: DWARFAssembler, _ features: Features = .standard, on base: BTF?,
        excluding languages: Set<UInt64> = []
    ) throws -> Encoded {
        var options = EncodeOptions()
        options.features = features
        options.excludedLanguages = languages
        return try DWARFToBTF.encode(
            asm.image().file(), asm.data(), base: base.map { BaseIndex($0) }, whole: base,
            options: options)
    }

    private func base() throws -> BTF {
        try BTF.parse(ByteView(encode(asm, on: nil).bytes))
    }

    @Test func headerAlone() throws {
        let base = try base()
        let split = try encode(asm, on: base)
        #expect(split.typeCount == 0 && split.base == nil)
        #expect(split.bytes == [0x9f, 0xeb, 1, 0, 24] + [UInt8](repeating: 0, count: 19))
        #expect(check(ByteView(split.bytes), base: base).findings.isEmpty)
    }

    @Test func distilled() throws {
        let split = try encode(
            asm, Features.standard.union(.distilledBase), on: try base())
        #expect(split.typeCount == 0 && split.bytes.count == 24)
        let bytes = ByteView(try #require(split.base))
        let small = try BTF.parse(bytes)
        #expect(small.ownIDs.isEmpty)
        #expect(checkDistilledBase(bytes).findings.isEmpty)
        #expect(try BTF.parse(ByteView(split.bytes), base: small).ownIDs.isEmpty)
    }

    /// Nothing to tell is something else than nothing new.
    @Test func nothingToTell() throws {
        var empty = DWARFAssembler(DWARFFlavor(version: 4))
        empty.unit([.name("a.c"), .language(12)])
        for base in [nil, try base()] {
            #expect(try encode(empty, on: base).bytes.isEmpty)
            #expect(try encode(asm, on: base, excluding: [12]).bytes.isEmpty)
        }
    }
}
