// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@testable import BPFObject

/// Broken files give errors or something, but never end the process or run for ever.
@Suite struct DamageTests {
    /// An object with a bit of everything.
    static func victim(bigEndian: Bool) -> [UInt8] {
        var image = ExtendedInfoTests.Sample(bigEndian: bigEndian).image
        let void = image.btf.wrap(.const, 0)
        let global = image.global("global", in: ".data")
        let hidden = image.local("hidden", in: ".rodata")
        image.global("zero", in: ".bss")
        let config = image.extern("CONFIG_HZ", in: ".kconfig")
        let kfunc = image.extern("bpf_go", in: ".ksyms", isFunction: true)
        let address = image.extern("address", type: void, in: ".ksyms", isWeak: true)
        let inner = image.btf.structure(size: 8, [("type", image.number(2), 0)])
        image.map(
            "outer", slots: 2,
            [
                ("type", image.number(12)), ("max_entries", image.number(2)),
                ("values", image.btf.array(image.btf.pointer(inner), index: image.int, 0)),
            ])
        let held = image.map("held", type: 2)
        image.relocations[image.place(".maps")] = [(16, held)]
        let helper = image.program("helper", in: ".text", isStatic: true)
        let program = image.program(
            "q", in: "lsm.s/file_open",
            [.load(1), .load(2, hidden), .load(3), .call(), .load(4), .load(5), .call(-1), .exit])
        let text = image.symbol(ofSection: ".text")
        let rodata = image.symbol(ofSection: ".rodata")
        for (number, symbol) in [global, rodata, config, kfunc, address, held, text].enumerated() {
            image.relocate(program, instruction: number, to: symbol)
        }
        _ = helper
        return image.bytes()
    }

    /// Asks for everything; gives whether it was read.
    static func exercise(_ bytes: [UInt8]) -> Bool {
        guard let object = try? BPFObject(ByteView(bytes), path: "x.o") else { return false }
        _ = object.loaderObstacles(of: LibBPFVersion(1, 8))
        _ = object.loaderObstacles(kernel: object.btf, of: LibBPFVersion(1, 1))
        _ = try? object.hostFacts(nil).get()
        _ = try? object.hostFacts(KernelFacts(file: "c", config: "CONFIG_HZ=1")).get()
        for function in object.functions {
            for reference in function.references {
                #expect(reference.instruction * 8 < function.code.count)
                switch reference.target {
                case .map(let map): #expect(map < object.maps.count)
                case .data(let map, let offset):
                    #expect(offset >= 0 && offset < object.maps[map].contents!.size)
                case .arena(let offset):
                    #expect(offset >= 0 && UInt64(offset) < object.arena!.size)
                case .call(let index), .address(let index): #expect(index < object.functions.count)
                case .externalCall(let index), .externalVariable(let index):
                    #expect(index < object.externs.count)
                }
            }
        }
        for map in object.maps {
            for variable in map.contents?.variables ?? [] {
                #expect(variable.offset + variable.size <= map.contents!.size)
            }
        }
        return true
    }

    @Test(arguments: ObjectTests.orders) func cutShort(bigEndian: Bool) {
        let bytes = Self.victim(bigEndian: bigEndian)
        #expect(Self.exercise(bytes))
        // The section table is at the end: without it there is nothing.
        for length in stride(from: bigEndian ? 0 : 1, to: bytes.count, by: bigEndian ? 13 : 2) {
            #expect(!Self.exercise(Array(bytes[..<length])))
        }
    }

    @Test(arguments: ObjectTests.orders, [UInt64(1), 2]) func randomDamage(
        bigEndian: Bool, seed: UInt64
    ) {
        let bytes = Self.victim(bigEndian: bigEndian)
        var random = SeededRandom(seed: seed)
        var read = 0
        for _ in 0..<600 {
            var copy = bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 64..<copy.count, using: &random)
                let value = [0, 1, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &random)]
                    .randomElement(using: &random)!
                let width = [1, 1, 4, 8].randomElement(using: &random)!
                for index in place..<min(copy.count, place + width) { copy[index] = value }
            }
            if Self.exercise(copy) { read += 1 }
        }
        #expect(read > 40 && read < 600, "\(read)")
    }

    @Test func everyByte() {
        let bytes = Self.victim(bigEndian: false)
        var read = 0
        for place in bytes.indices {
            var copy = bytes
            copy[place] ^= 0xff
            if Self.exercise(copy) { read += 1 }
        }
        #expect(read > bytes.count / 10 && read < bytes.count, "\(read) of \(bytes.count)")
    }

    /// The same section over and over again, which no compiler writes and libbpf would look for
    /// each time.
    @Test func recordsOfOneSection() throws {
        var sample = ExtendedInfoTests.Sample()
        for number in 0..<10_000 { sample.image.section(".other\(number)") }
        let groups = 200_000
        let group = Array(sample.words[8..<12])
        sample.words = [24, 0, UInt32(4 + 16 * groups), 0, 0, 8]
        for _ in 0..<groups { sample.words += group }
        let needed = processorSeconds {
            let error = #expect(throws: BPFObjectError.self) { try sample.read() }
            #expect(error?.message == "section 'fentry/f' already has records")
        }
        #expect(needed < 60)
    }

    /// As many elements and relocations as fit, all to one.
    @Test func manyOfAll() throws {
        #expect(try processorSeconds(readManyOfAll) < 60)
    }

    private func readManyOfAll() throws {
        var image = BPFImage()
        let symbol = image.global("x", in: ".data")
        let program = image.program(
            "p", in: "xdp", (0..<10_000).map { _ in BPFImage.Instruction.load(1) })
        for number in 0..<10_000 { image.relocate(program, instruction: number, to: symbol) }
        #expect(try image.read().functions[0].references.count == 10_000)
        // As many maps, each referred to.
        var maps = BPFImage()
        let symbols = (0..<20_000).map { maps.map("m\($0)", [("type", maps.number(1))]) }
        let user = maps.program("p", in: "xdp", symbols.map { _ in BPFImage.Instruction.load(1) })
        for (number, symbol) in symbols.enumerated() {
            maps.relocate(user, instruction: number, to: symbol)
        }
        #expect(try maps.read().functions[0].references.last?.target == .map(19_999))
        // A chain of calls as long as there are functions.
        var chain = BPFImage()
        for number in 0..<5_000 {
            chain.program("f\(number)", in: ".text", [.call(1), .exit])
        }
        chain.program("end", in: ".text")
        chain.program("p", in: "xdp")
        #expect(try chain.read().loaderObstacles(of: LibBPFVersion(1, 8)).count == 1)
    }
}
