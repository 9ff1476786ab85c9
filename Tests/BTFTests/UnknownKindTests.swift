// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// Kinds that we do not know, with and without a layout section that describes them.
@Suite struct UnknownKindTests {
    /// What the layout says of kinds 0 to 22.
    private static let known: [(UInt8, UInt8)] = [
        (0, 0), (4, 0), (0, 0), (12, 0), (0, 12), (0, 12), (0, 8), (0, 0), (0, 0), (0, 0), (0, 0),
        (0, 0), (0, 0), (0, 8), (4, 0), (0, 12), (0, 0), (4, 0), (0, 0), (0, 12), (4, 4), (0, 4),
        (0, 12),
    ]
    private static let number: UInt8 = 100

    /// Kinds up to 100, the last with these sizes.
    private static func layout(
        _ fixed: UInt8, _ element: UInt8,
        changing change: (inout [(UInt8, UInt8)]) -> Void = { _ in }
    ) -> [UInt8] {
        var sizes = known + Array(repeating: (0, 0), count: Int(number) - known.count)
        change(&sizes)
        return (sizes + [(fixed, element)]).flatMap { [$0.0, $0.1, 0, 0] as [UInt8] }
    }

    /// 1 int, 2 the unknown type `odd` with `words` after the common three, 3 pointer to 2,
    /// 4 struct s with a member of type 2.
    private func build(
        _ layout: [UInt8]?, vlen: Int = 2, words: Int, bigEndian: Bool = false, base: BTF? = nil
    ) -> BTFAssembler {
        var asm = BTFAssembler(
            bigEndian: bigEndian, headerLength: layout == nil ? 24 : 32, base: base)
        let int = asm.int("int")
        let info = UInt32(Self.number) << 24 | UInt32(vlen)
        let odd = asm.raw(
            [asm.string("odd"), info, 7] + Array(repeating: 0xffff_ffff, count: words))
        asm.pointer(odd)
        asm.structure("s", size: 8, [("i", int, 0), ("o", odd, 32)])
        // Names fill whole words, so that the layout section is aligned.
        asm.fillStrings()
        asm.layout = layout ?? []
        return asm
    }

    @Test(arguments: [false, true]) func steppedOver(bigEndian: Bool) throws {
        for (fixed, element, words): (UInt8, UInt8, Int) in [
            (0, 0, 0), (4, 0, 1), (0, 4, 2), (8, 12, 8), (252, 252, 189),
        ] {
            let bytes = ByteView(
                build(Self.layout(fixed, element), words: words, bigEndian: bigEndian).bytes())
            #expect(throws: BTFError.self) { try BTF.parse(bytes) }
            let btf = try BTF.parse(bytes, isForReading: true)
            #expect(btf.ownRecords.map(\.name) == ["int", "odd", "", "s"])
            let odd = try #require(btf.record(TypeID(2)))
            #expect(odd.kind == .unknown && odd.words.count == 3 + words && odd.references.isEmpty)
            let raw = try text(btf)
            #expect(raw.contains("[2] UNKNOWN(100) 'odd' vlen=2\n[3] PTR '(anon)' type_id=2\n"))
            #expect(
                try text(btf, .json).contains(
                    "{\"id\":2,\"kind\":\"UNKNOWN(100)\",\"name\":\"odd\",\"vlen\":2}"))
            let report = check(bytes)
            #expect(report.isSound && report.unknownKinds == [100: 1] && report.typeCount == 4)
            #expect(report.findings.map(\.severity) == [.warning])
            #expect(
                report.findings.first?.message
                    == "UNKNOWN(100) odd: Invalid kind:100: not known; skipped by the layout")
            #expect(BTF.typeCount(of: bytes, btf.header) == 4)
            #expect(Recognition(bytes, header: btf.header).isStandalone)
            // No kernel takes it.
            for release in [KernelVersion(6, 12), KernelVersion(7, 3)] {
                let verdict = checkTarget(
                    TargetSubject(bytes, .whole), btf, rules: TargetRules(release)!)
                #expect(verdict.findings.findings.contains { $0.severity == .error })
            }
        }
    }

    /// The C of types that lead nowhere unknown is written.
    @Test func declarations() throws {
        let btf = try BTF.parse(
            ByteView(build(Self.layout(0, 4), words: 2).bytes()), isForReading: true)
        _ = try text(btf, .c, [TypeID(1), TypeID(2)])
        #expect(throws: BTFError.self) { try text(btf, .c) }
    }

    /// Split BTF goes by its own layout, else by its base's.
    @Test func layoutOfTheBase() throws {
        let bytes = ByteView(build(Self.layout(0, 4), words: 2).bytes())
        let base = try BTF.parse(bytes, isForReading: true)
        let own = build(nil, words: 2, base: base)
        let split = try BTF.parse(ByteView(own.bytes()), base: base, isForReading: true)
        #expect(try text(split).contains("[6] UNKNOWN(100) 'odd' vlen=2\n[7] PTR"))
        #expect(check(ByteView(own.bytes()), base: base).unknownKinds == [100: 1])
        // The base's types are printed for what they are.
        var module = BTFAssembler(base: base)
        module.pointer(2)
        module.section(".data", size: 4, [(2, 0, 4)])
        let pointing = try BTF.parse(ByteView(module.bytes()), base: base, isForReading: true)
        #expect(try text(pointing).contains("type_id=2 offset=0 size=4 (UNKNOWN(100) 'odd')"))
        // Without any, as ever.
        let plain = try BTFAssembler().parse()
        let lone = ByteView(build(nil, words: 2, base: plain).bytes())
        let error = #expect(throws: BTFError.self) {
            try BTF.parse(lone, base: plain, isForReading: true)
        }
        #expect(error?.message == "own type 2: unknown kind 100")
    }

    /// Layouts that lie, each with one error.
    @Test func wrongLayouts() throws {
        func message(_ layout: [UInt8], vlen: Int = 2, words: Int = 2) -> String? {
            let bytes = ByteView(build(layout, vlen: vlen, words: words).bytes())
            do throws(BTFError) {
                _ = try BTF.parse(bytes, isForReading: true)
                return nil
            } catch {
                #expect(check(bytes).findings.map(\.rule) == ["H"])
                return error.message
            }
        }
        let start = "own type 2: unknown kind 100"
        #expect(
            message(Self.layout(2, 4))
                == start + ", and its layout says 2 bytes and 4 an element, expected multiples of 4"
        )
        #expect(message(Self.layout(0, 255))?.hasPrefix(start + ", and its layout says") == true)
        #expect(
            message(Self.layout(0, 4), vlen: 1000)
                == "own type 2: it with 1000 elements ends after the type section")
        #expect(message(Self.layout(0, 4) + [0, 0])?.hasSuffix("whole entries of 4 bytes") == true)
        #expect(message(Array(Self.layout(0, 4).dropLast(4))) == start)
        for known in [1, 4, 13] {
            let lie = Self.layout(0, 4) { $0[known] = (8, 8) }
            #expect(
                message(lie)?.hasPrefix(start + ", and the layout section is wrong about ") == true)
        }
        // Sizes that are too small make the rest of the record a type of its own.
        #expect(message(Self.layout(0, 0)) != nil)
    }

    /// What would have to understand such types refuses them.
    @Test func refused() throws {
        let btf = try BTF.parse(
            ByteView(build(Self.layout(0, 4), words: 2).bytes()), isForReading: true)
        var module = BTFAssembler(base: btf)
        module.pointer(3)
        let split = try BTF.parse(ByteView(module.bytes()), base: btf, isForReading: true)
        for operation: @Sendable () throws -> Void in [
            { try btf.checkKinds() }, { try split.checkKinds() }, { try btf.checkReferences() },
            { _ = try btf.deduplicated(over: nil) }, { _ = try btf.sortedByName() },
            { _ = try btf.rebased(onto: BaseIndex(try BTFAssembler().parse())) },
        ] {
            let error = #expect(throws: BTFError.self) { try operation() }
            #expect(
                error?.message.contains("unknown kind 100") == true
                    || error?.message.contains("UNKNOWN") == true)
        }
    }

    /// Seeded: whatever the layout and the words say, nothing traps.
    @Test func seeded() throws {
        for seed in UInt64(0)..<400 {
            var random = SeededRandom(seed: seed)
            var asm = BTFAssembler(headerLength: 32)
            asm.int("int")
            for index in 0..<8 {
                let kind = UInt32.random(in: 1...127, using: &random)
                let vlen = UInt32.random(in: 0...3, using: &random)
                let count = Int.random(in: 0...8, using: &random)
                asm.raw(
                    [
                        asm.string("t\(index)"), kind << 24 | vlen,
                        UInt32.random(in: 0...9, using: &random),
                    ]
                        + (0..<count).map { _ in UInt32.random(in: 0...9, using: &random) })
            }
            asm.layout = Self.layout(0, 4) { sizes in
                for number in 23..<100 {
                    sizes[number] = (
                        UInt8.random(in: 0...3, using: &random) * 4,
                        UInt8.random(in: 0...3, using: &random) * 4
                    )
                }
            }
            asm.fillStrings()
            let bytes = ByteView(asm.bytes())
            let report = check(bytes)
            guard let btf = try? BTF.parse(bytes, isForReading: true) else {
                #expect(!report.isSound)
                continue
            }
            for format in DumpFormat.allCases { _ = try? text(btf, format) }
            _ = BTF.misfit(of: bytes, on: nil)
            _ = Recognition(bytes, header: btf.header)
        }
    }
}

extension BTFAssembler {
    /// One more string, after which the layout section is aligned.
    fileprivate mutating func fillStrings() {
        let rest = (4 - (stringSection.count + 1) % 4) % 4
        _ = string(String(repeating: "#", count: rest == 0 ? 4 : rest))
    }
}
