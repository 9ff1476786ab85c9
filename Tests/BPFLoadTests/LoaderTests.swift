// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@testable import BPFLoad
@testable import BPFObject

/// What is said of a loader before it is made holds for the one that libbpf makes.
@Suite(.enabled(if: UInt16(1).bigEndian != 1)) struct LoaderTests {
    private func trace(
        _ image: BPFImage, kernel: KernelFacts? = nil
    ) throws -> (BPFObject, LoaderTrace) {
        let object = try BPFObject(image.view(), path: "x.o")
        #expect(object.loaderObstacles() == [])
        let facts = try object.hostFacts(kernel).get()
        let trace = try LoaderTrace.run(
            object: image.view(), path: "x.o", name: "x", facts: facts)
        return (object, trace)
    }

    private func function(_ image: inout BPFImage, _ name: String) {
        image.btf.function(name, image.btf.prototype(returns: image.int), linkage: .global)
    }

    /// Maps of every sort, variables, symbols of the kernel in programs and what they call.
    @Test func lengthMapsAndPrograms() throws {
        var image = BPFImage()
        let record = image.btf.structure("rq", size: 4, [("x", image.int, 0)])
        let inner = image.btf.structure(
            size: 16, [("type", image.number(2), 0), ("max_entries", image.number(3), 64)])
        image.map(
            "outer", slots: 2,
            [
                ("type", image.number(12)), ("max_entries", image.number(2)),
                ("key_size", image.number(4)),
                ("values", image.btf.array(image.btf.pointer(inner), index: image.int, 0)),
            ])
        let held = image.map("held", type: 2)
        image.relocations[image.place(".maps")] = [(24, held), (32, held)]
        image.map(
            "typed",
            [
                ("type", image.number(1)), ("max_entries", image.number(1)),
                ("key", image.btf.pointer(image.int)), ("value", image.btf.pointer(image.int)),
            ])
        image.map("ring", [("type", image.number(27)), ("max_entries", image.number(5000))])
        let global = image.global("global", in: ".data")
        image.global("constant", in: ".rodata")
        image.global("zero", in: ".bss")
        let config = image.extern("CONFIG_HZ", in: ".kconfig")
        let strong = image.extern("kfunc_a", in: ".ksyms", isFunction: true)
        let weak = image.extern("kfunc_b", in: ".ksyms", isFunction: true, isWeak: true)
        let variable = image.extern("runqueues", type: record, in: ".ksyms", isWeak: true)
        for name in ["inner", "p", "q", "r"] { function(&image, name) }
        let callee = image.program("inner", in: ".text", [.call(), .call(), .exit])
        image.relocate(callee, instruction: 0, to: weak)
        image.relocate(callee, instruction: 1, to: strong)
        let p = image.program(
            "p", in: "fentry/f", [.load(1), .load(2), .load(3), .call(), .call(), .exit])
        for (number, symbol) in [global, config, variable, strong, callee.symbol].enumerated() {
            image.relocate(p, instruction: number, to: symbol)
        }
        image.program("q", in: "xdp")
        image.program("r", in: "?lsm/file_open")
        let (object, trace) = try trace(
            image, kernel: KernelFacts(file: "cfg", config: "CONFIG_HZ=250"))
        #expect(trace.instructions.count / 8 == LoaderLength(of: object).count)
        #expect(trace.programs.map(\.name) == object.programs.map(\.name))
        #expect(trace.programs.map(\.isLoaded) == [true, true, false])
        #expect(trace.programs.map(\.type) == object.programs.map { $0.kind!.type.rawValue })
        #expect(trace.maps.map(\.type) == object.maps.map(\.definition.type))
        #expect(trace.maps.map(\.valueSize) == object.maps.map(\.definition.valueSize))
        #expect(trace.maps.map(\.maxEntries) == object.maps.map(\.definition.maxEntries))
        #expect(trace.maps.map(\.flags) == object.maps.map(\.definition.flags))
        #expect(trace.maps.map(\.isInternal) == object.maps.map(\.isInternal))
        #expect(trace.maps.last?.initialValue == [250, 0, 0, 0])
    }

    /// libbpf asks the running kernel for its version; what was given is put in its place, and all
    /// else stays.
    @Test func kernelVersion() throws {
        var image = BPFImage()
        let version = image.extern("LINUX_KERNEL_VERSION", in: ".kconfig")
        image.extern("CONFIG_HZ", in: ".kconfig")
        let long = image.btf.int("long", size: 8)
        image.extern("CONFIG_LONG", type: long, in: ".kconfig", isWeak: true)
        image.global("x", in: ".data")
        function(&image, "p")
        let program = image.program("p", in: "xdp", [.load(1), .exit])
        image.relocate(program, instruction: 0, to: version)
        func value(_ version: UInt32) throws -> (kconfig: [UInt8]?, data: [UInt8]) {
            let (_, trace) = try trace(
                image,
                kernel: KernelFacts(file: "cfg", config: "CONFIG_HZ=250", version: version))
            return (trace.maps.last?.initialValue, trace.data)
        }
        let (old, new) = (try value(0x60109), try value(0xdead_beef))
        #expect(old.kconfig == [0, 0, 0, 0, 0, 0, 0, 0, 250, 0, 0, 0, 9, 1, 6, 0])
        #expect(new.kconfig == [0, 0, 0, 0, 0, 0, 0, 0, 250, 0, 0, 0, 0xef, 0xbe, 0xad, 0xde])
        let places = zip(old.data, new.data).enumerated().filter { $1.0 != $1.1 }.map(\.offset)
        #expect(places.count == 4 && places[3] - places[0] == 3)
        #expect(Array(new.data[places[0]...places[3]]) == [0xef, 0xbe, 0xad, 0xde])
    }

    /// Where a loader ends that errors cannot jump back in: libbpf refuses the same.
    @Test func jumps() throws {
        func image(_ uses: Int) -> BPFImage {
            var image = BPFImage()
            function(&image, "p")
            let symbol = image.extern("f", in: ".ksyms", isFunction: true)
            let program = image.program(
                "p", in: "fentry/f", (0..<uses).map { _ in BPFImage.Instruction.call() } + [.exit])
            for number in 0..<uses { image.relocate(program, instruction: number, to: symbol) }
            return image
        }
        var (fits, fails) = (2000, 2600)
        while fails - fits > 1 {
            let middle = (fits + fails) / 2
            let object = try BPFObject(image(middle).view(), path: "x.o")
            if object.jumpTooFar == nil { fits = middle } else { fails = middle }
        }
        func run(_ uses: Int) throws(LibBPFError) {
            _ = try LoaderTrace.run(
                object: image(uses).view(), path: "x.o", name: "x", facts: HostFacts())
        }
        try run(fits)
        #expect(throws: LibBPFError.self) { try run(fails) }
    }
}
