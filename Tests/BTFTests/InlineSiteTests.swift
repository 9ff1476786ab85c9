// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// LOC_PARAM, LOC_PROTO and LOCSEC through all that writes BTF.
@Suite struct InlineSiteTests {
    /// 1 int, 2 prototype, 3 function, places, two sites.
    private static func build(_ asm: inout BTFAssembler) {
        let int = asm.int()
        let function = asm.function("zeta", asm.prototype(returns: int, [("a", int), ("b", int)]))
        let register = asm.location(0x8, size: 4, [5])
        let constant = asm.location(0x2, size: 4, [7])
        let places = asm.locations([register, constant])
        asm.sites("inline.text", [(function, places, 64), (function, asm.locations([0, 0]), 8)])
    }

    private static func parsed(bigEndian: Bool = false) throws -> BTF {
        var asm = BTFAssembler(bigEndian: bigEndian)
        build(&asm)
        return try asm.parse()
    }

    /// What each site says, with names and places instead of ids.
    private func sites(_ btf: BTF) throws -> [String] {
        var out: [String] = []
        for section in btf.ownRecords where section.kind == .locsec {
            for index in 0..<section.count {
                let function = try #require(btf.record(TypeID(section.element(index, 0))))
                let places = try #require(btf.record(TypeID(section.element(index, 1))))
                let parameters = (0..<places.count).map { number -> String in
                    let id = places.element(number, 0)
                    guard let place = btf.record(TypeID(id)) else { return "-" }
                    return "\(place.fixed(0)):\(place.element(0, 0))"
                }
                out.append(
                    "\(section.name)+\(section.element(index, 2)) \(function.name) \(parameters)")
            }
        }
        return out
    }

    private static let said = [
        #"inline.text+64 zeta ["8:5", "2:7"]"#, #"inline.text+8 zeta ["-", "-"]"#,
    ]

    @Test(arguments: [false, true]) func sound(bigEndian: Bool) throws {
        let btf = try Self.parsed(bigEndian: bigEndian)
        #expect(check(btf).findings == [])
        #expect(try sites(btf) == Self.said)
        let again = try BTF.parse(ByteView(btf.serialized()))
        #expect(compare(btf, again).isEqual && again.bigEndian == bigEndian)
    }

    /// Units with the same sites: places merge, sections do not. With hashes that collide as well.
    @Test(arguments: DedupModelTests.hashMasks) func deduplicatedOnce(_ mask: UInt64) throws {
        let btf = try Self.parsed()
        for inOneUnit in [false, true] {
            let output = try deduplicated(
                [btf, btf], base: nil, inOneUnit: inOneUnit, hashMask: mask)
            #expect(check(output).findings == [])
            #expect(try sites(output) == Self.said + Self.said)
            let counts = Dictionary(grouping: output.ownRecords, by: \.kind).mapValues(\.count)
            #expect(counts[.locParam] == 2 && counts[.locProto] == 2 && counts[.locsec] == 2)
            #expect(counts[.func] == 1)
            // On a base with them, only the sections are left.
            let split = try deduplicated([btf], base: output, hashMask: mask)
            #expect(split.ownRecords.map(\.kind) == [.locsec])
            #expect(try sites(split) == Self.said)
        }
    }

    /// Places that differ in the register only stay apart however hashes fall.
    @Test(arguments: DedupModelTests.hashMasks) func differingPlaces(_ mask: UInt64) throws {
        var asm = BTFAssembler()
        for register in 0..<40 as Range<UInt32> { asm.locations([asm.location(0x8, [register])]) }
        let output = try deduplicated(
            [try asm.parse(), try asm.parse()], base: nil, hashMask: mask)
        #expect(output.ownIDs.count == 80)
    }

    @Test(arguments: [false, true]) func movedAndSorted(bigEndian: Bool) throws {
        let btf = try Self.parsed(bigEndian: bigEndian)
        let sorted = try btf.sortedByName()
        #expect(compare(btf.withSortedSites(), sorted).isEqual)
        #expect(try sites(sorted) == Self.said.reversed())
        var asm = BTFAssembler(bigEndian: bigEndian)
        asm.float("double", size: 8)
        asm.int()
        let base = try asm.parse()
        for moved in [
            try btf.rebased(onto: BaseIndex(base)), try btf.renumbered(onto: BaseIndex(base)),
        ] {
            let split = try BTF.parse(ByteView(moved.bytes), base: base)
            #expect(check(split).findings == [])
            #expect(try sites(split) == Self.said)
        }
    }

    /// Places of the base move into the split BTF, as libbpf has it; its sections cannot.
    @Test func distilledPlaces() throws {
        var asm = BTFAssembler()
        asm.int()
        let place = asm.location(0x8, size: 4, [3])
        let places = asm.locations([place])
        let base = try asm.parse()
        var own = BTFAssembler(base: base)
        let function = own.function("f", own.prototype([("a", 1)]))
        own.sites("inline.text", [(function, places, 16)])
        let result = try own.parse().distilled()
        let small = try BTF.parse(ByteView(result.base))
        let split = try BTF.parse(ByteView(result.split), base: small)
        #expect(small.ownRecords.map(\.kind) == [.int])
        #expect(split.ownRecords.map(\.kind) == [.funcProto, .func, .locsec, .locParam, .locProto])
        #expect(try sites(split) == [#"inline.text+16 f ["8:3"]"#])
        #expect(check(split).findings == [])

        let sectionBase = try Self.parsed()
        let section = try #require(sectionBase.ownRecords.first { $0.kind == .locsec })
        var pointing = BTFAssembler(base: sectionBase)
        pointing.locations([section.id.rawValue])
        #expect(throws: BTFError.self) { try pointing.parse().distilled() }
    }

    /// A layout section describes these kinds only where they are: pahole's ends before them.
    @Test func layoutSection() throws {
        func entries(_ btf: BTF) throws -> Int {
            let index: BaseIndex? = nil
            return try btf.deduplicated(over: index).header.layoutLength / 4
        }
        var plain = BTFAssembler(headerLength: 32)
        plain.int()
        plain.layout = [UInt8](repeating: 0, count: 4)
        _ = plain.string("pad")
        _ = plain.string("pa")
        var sites = BTFAssembler(headerLength: 32)
        Self.build(&sites)
        sites.layout = [UInt8](repeating: 0, count: 4)
        #expect(try entries(plain.parse()) == 20)
        #expect(try entries(sites.parse()) == 23)
    }

    /// Kernels of linux-next answer to damaged ones with these words.
    @Test func kernelAnswers() throws {
        func answer(_ build: (inout BTFAssembler) -> Void) throws -> KernelRefusal? {
            var asm = BTFAssembler()
            asm.int()
            build(&asm)
            return answerToProgram(
                ByteView(asm.bytes()), kernel: nil,
                rules: try #require(TargetRules(KernelVersion(7, 4))), bigEndian: false
            ).refusal
        }
        #expect(try answer { Self.build(&$0) } == nil)
        for (words, build): (String, (inout BTFAssembler) -> Void) in [
            ("size=8 vlen=1 flags=0x40, 1 Invalid flags", { $0.location(0x40, [1]) }),
            ("size=17 vlen=1 flags=0x8, 1 Unexpected size", { $0.location(0x8, size: 17, [1]) }),
            ("size=8 vlen=3 flags=0x8, 1, 2, 3 Invalid vlen", { $0.location(0x8, [1, 2, 3]) }),
            ("vlen=1, 1 Invalid loc_param#1", { $0.locations([1]) }),
            ("vlen=0 Invalid name", { $0.sites("", []) }),
            ("func=0 loc_proto=1 offset=4 Invalid func", { $0.sites("x", [(0, 1, 4)]) }),
            ("vlen=1 Invalid func#1", { $0.sites("x", [(1, 1, 4)]) }),
            (
                "vlen=1 Mismatched vlen for loc_proto#1",
                {
                    let function = $0.function("f", $0.prototype([("a", 1)]))
                    $0.sites("x", [(function, $0.locations([]), 0)])
                }
            ),
        ] {
            let refusal = try answer(build)
            #expect(refusal?.errno == .invalid && refusal?.lines.last?.contains(words) == true)
        }
    }
}
