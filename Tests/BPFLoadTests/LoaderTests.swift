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
        #expect(object.loaderObstacles(of: LibBPF.version) == [])
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
        #expect(trace.maps.map(\.values.type) == object.maps.map(\.definition.type))
        #expect(trace.maps.map(\.values.valueSize) == object.maps.map(\.definition.valueSize))
        #expect(trace.maps.map(\.values.maxEntries) == object.maps.map(\.definition.maxEntries))
        #expect(trace.maps.map(\.values.flags) == object.maps.map(\.definition.flags))
        #expect(trace.maps.map(\.values.isInternal) == object.maps.map(\.isInternal))
        #expect(trace.maps.last?.initialValue == [250, 0, 0, 0])
    }

    /// Programs that newer versions know load like others, whichever version this is.
    @Test(arguments: [
        "uprobe.multi/x:f", "uprobe.session.s/x:f", "usdt.s/x", "tcx/ingress", "netkit/peer",
        "netfilter", "sk_skb/verdict", "cgroup/connect_unix", "kprobe.session/f*", "fsession/f",
        "tp.s/a/b", "raw_tp.s/x", "tp_btf.s/x", "fentry.multi/f*", "fexit.multi",
        "fsession.multi/f",
    ]) func newSections(_ section: String) throws {
        let kind = try #require(ProgramKind(section: section))
        guard kind.since <= LibBPF.version else { return }
        var image = BPFImage()
        function(&image, "p")
        image.program("p", in: section)
        let (object, trace) = try trace(image)
        #expect(trace.instructions.count / 8 == LoaderLength(of: object).count)
        #expect(trace.programs.map(\.type) == [kind.type.rawValue])
        // User space has more to say of where probes of this kind are.
        let attached = section.hasPrefix("usdt") ? .uprobeMulti : kind.attachType
        #expect(trace.programs.map(\.expectedAttachType) == [attached?.rawValue ?? 0])
    }

    /// An arena is created at its address, although libbpf must not map memory there meanwhile:
    /// here lies what the tests need, which they see.
    @Test func arena() throws {
        let canary = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 1 << 16)
        defer { canary.deallocate() }
        canary.initializeMemory(as: UInt8.self, repeating: 0x5a, count: 1 << 20)
        func data(_ address: UInt64, isLong: Bool) throws -> [UInt8] {
            var image = BPFImage()
            let extra =
                isLong
                ? image.btf.enumeration64("", [("___bpf_concat", address)])
                : image.number(UInt32(address))
            image.map(
                "a",
                [
                    ("type", image.number(33)), ("max_entries", image.number(16)),
                    ("map_flags", image.number(1 << 10)), ("map_extra", extra),
                ])
            function(&image, "p")
            image.program("p", in: "xdp")
            let (object, trace) = try trace(image)
            #expect(trace.instructions.count / 8 == LoaderLength(of: object).count)
            #expect(trace.maps.map(\.initialValue) == [nil])
            return trace.data
        }
        func place(_ data: [UInt8]) -> Int? {
            (0..<data.count / 8 - 8).map { $0 * 8 }.first { data[$0] == 33 && data[$0 + 12] == 16 }
        }
        let short = try data(1 << 20, isLong: false)
        let at = try #require(place(short))
        #expect(Array(short[at + 64..<at + 72]) == [0, 0, 0x10, 0, 0, 0, 0, 0])
        guard LibBPF.version >= LibBPFVersion(1, 4) else { return }
        let address = UInt64(UInt(bitPattern: canary)) & ~0xffff
        let long = try data(address, isLong: true)
        let there = try #require(place(long))
        #expect(Array(long[there + 64..<there + 72]) == withUnsafeBytes(of: address) { Array($0) })
        #expect(UnsafeRawBufferPointer(start: canary, count: 1 << 20).allSatisfy { $0 == 0x5a })
        #expect(try data(1 << 44, isLong: true) == data(1 << 44, isLong: true))
    }

    /// Two versions 1.8 differ: one has a map for each CPU's variables, the other none at all.
    @Test func perCPUVariables() throws {
        guard LibBPF.version >= .perCPUData else { return }
        var image = BPFImage()
        let x = image.global("x", in: ".percpu")
        function(&image, "p")
        let program = image.program("p", in: "xdp", [.load(1), .exit])
        image.relocate(program, instruction: 0, to: x)
        let loader: LoaderTrace
        do throws(LibBPFError) {
            loader = try LoaderTrace.run(
                object: image.view(), path: "x.o", name: "x", facts: HostFacts())
        } catch {
            #expect(error.log.contains { $0.contains(".percpu") }, "\(error)")
            return
        }
        #expect(loader.maps.map(\.isPerCPU) == [true] && loader.maps[0].name == ".percpu")
        #expect(loader.maps[0].initialValue?.count == 4 && loader.maps[0].valueType != 0)
        #expect(
            try loader.instructions.count / 8
                == LoaderLength(of: BPFObject(image.view(), path: "x.o")).count)
    }

    /// The address of a kfunc, loaded and called.
    @Test func addressOfKfunc() throws {
        guard LibBPF.version >= LibBPFVersion(1, 2) else { return }
        var image = BPFImage()
        let weak = image.extern("kfunc", in: ".ksyms", isFunction: true, isWeak: true)
        function(&image, "p")
        let p = image.program("p", in: "fentry/f", [.load(1), .load(2), .call(), .call(), .exit])
        for number in 0..<4 { image.relocate(p, instruction: number, to: weak) }
        let (object, trace) = try trace(image)
        #expect(trace.instructions.count / 8 == LoaderLength(of: object).count)
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
