// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import ELF
import TestSupport
import Testing

/// Broken files give errors or something, but never end the process or run for ever.
@Suite struct DamageTests {
    private func btf() throws -> BTF {
        var asm = BTFAssembler()
        let int = asm.int("int")
        asm.structure("s", size: 4, [("x", int, 0)])
        let proto = asm.prototype()
        for name in ["a", "b"] { asm.declTag("bpf_kfunc", asm.function(name, proto)) }
        return try asm.parse()
    }

    /// Asks for everything; gives whether there was a section.
    private func exercise(_ bytes: [UInt8], _ btf: BTF) -> Bool {
        guard let elf = try? ELFFile(ByteView(bytes), path: "x") else { return false }
        for section in [try? IDSection.read(elf), (try? IDSection.scan(elf))?.section] {
            guard let section else { continue }
            for old in [nil, btf] {
                if let resolved = try? section.resolved(in: btf, old: old) {
                    #expect(resolved.bytes.count == section.bytes.count)
                }
                _ = section.lines(in: old)
                _ = section.functionsWithImplicitArguments(old: old)
                for set in section.sets.indices { _ = section.flags(ofSet: set, old: old) }
            }
            #expect(section.rewritten { $0 &+ 1 }.count == section.bytes.count)
        }
        return (try? IDSection.read(elf)) != nil
    }

    @Test(arguments: [false, true]) func mutants(isFilled: Bool) throws {
        var asm = IDAssembler()
        asm.id("struct__s")
        asm.set("list", [("func__a", 0), ("func__b", 0), ("", 0)])
        asm.set8("kfuncs", flags: 1, [("func__a", 0, 7), ("func__b", 0, 8)])
        let btf = try btf()
        if isFilled { asm.bytes = try asm.read().resolved(in: btf).bytes }
        let image = asm.image().bytes()
        #expect(exercise(image, btf))
        var random = SeededRandom(seed: isFilled ? 1 : 2)
        var read = 0
        for _ in 0..<1500 {
            var mutant = image
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                mutant[Int.random(in: 64..<mutant.count, using: &random)] = [
                    0, 1, 4, 8, 0x5f, 0x7f, 0x80, 0xff,
                ].randomElement(using: &random)!
            }
            if exercise(mutant, btf) { read += 1 }
            _ = exercise(
                Array(mutant.prefix(Int.random(in: 0..<mutant.count, using: &random))), btf)
        }
        // Most damage does not keep the section from being read.
        #expect(read > 200 && read < 1500)
    }

    /// Sets over one another, each as long as the section.
    @Test func manySets() throws {
        var asm = IDAssembler()
        for number in 0..<4000 {
            asm.symbols.append(
                .init(
                    name: "__BTF_ID__set8__\(number)", place: UInt64(8 * (number / 2)),
                    size: 1 << 20))
        }
        asm.bytes = [UInt8](repeating: 0, count: 1 << 20)
        asm.symbol("__BTF_ID__func__a__1")
        asm.symbols[4000].place = 1 << 19
        let needed = try processorSeconds {
            let scan = try #require(try IDSection.scan(asm.image().file())).section
            #expect(scan.sets.count == 4000 && scan.entries[0].set == 3999)
            #expect(scan.sets.reduce(0) { $0 + $1.count } < 1 << 17)
            #expect(throws: IDError.self) { try asm.read() }
        }
        #expect(needed < 60)
    }

    /// Thousands of types with the name of a million bytes.
    @Test func longNames() throws {
        #expect(try processorSeconds(readLongNames) < 60)
    }

    private func readLongNames() throws {
        var asm = BTFAssembler()
        let name = asm.string(String(repeating: "a", count: 1_000_000))
        let ids = (0..<5000).map { _ in asm.raw([name, TypeInfo(.func).rawValue, 0]) }
        let btf = try asm.parse()
        var section = IDAssembler()
        section.id("func__aaaa")
        section.set8(
            "s", count: 1000, ids.prefix(1000).enumerated().map { ("func__aaaa", $1, UInt32($0)) })
        let read = try section.read()
        #expect(throws: IDError.self) { try read.resolved(in: btf, old: btf) }
        #expect(read.lines(in: btf).count { $0.state == .wrong } == 1000)
        #expect(throws: BTFError.self) { try btf.sortedByName() }
        #expect(try btf.hidingImplicitArguments(of: ["aaaa"]).functions.isEmpty)
    }
}
