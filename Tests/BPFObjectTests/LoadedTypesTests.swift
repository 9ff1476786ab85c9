// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF
import TestSupport
import Testing

@testable import BPFObject

extension BPFImage {
    /// What a loader passes to a kernel of this release.
    func passedOn(to release: KernelVersion = KernelVersion(7, 2)) throws -> BTF {
        let file = try ELFFile(view(), path: "x.o")
        let section = try #require(file.section(named: ".BTF"))
        let rules = try #require(TargetRules(release))
        let bytes = try #require(
            btfForKernel(try file.data(of: section), of: file, rules: rules))
        return try BTF.parse(bytes)
    }
}

extension BTF {
    fileprivate func named(_ name: String, _ kind: Kind) throws -> Record {
        try #require(ownRecords.first { $0.kind == kind && string(at: $0.nameOffset) == name })
    }
    fileprivate func words(_ name: String, _ kind: Kind) throws -> [UInt32] {
        Array(try named(name, kind).words)
    }
    fileprivate var names: [String] {
        ownRecords.map { string(at: $0.nameOffset) }
    }
}

/// The BTF that libbpf passes on, by what it does to it. `BPFLoadTests/PassedTypesTests` compares
/// with libbpf.
@Suite struct LoadedTypesTests {
    @Test func sectionsHaveSizesAndOffsets() throws {
        var image = BPFImage()
        image.program("hook", in: "lsm/file_open")
        image.global("first", in: ".data")
        image.global("second", size: 8, in: ".data")
        let btf = try image.passedOn()
        #expect(try btf.words(".data", .datasec).dropFirst(2) == [12, 2, 0, 4, 3, 4, 8])
    }

    /// Also where a linker has filled in the rest.
    @Test(arguments: [false, true]) func hiddenVariablesAreStatic(isLinked: Bool) throws {
        var image = BPFImage()
        image.program("hook", in: "lsm/file_open")
        image.global("seen", in: ".data")
        image.global("hidden", in: ".data", visibility: 2)
        if isLinked { image.datasecSizes[".data"] = 8 }
        let btf = try image.passedOn()
        #expect(try btf.words("seen", .var)[3] == 1)
        #expect(try btf.words("hidden", .var)[3] == 0)
        // The linker's offsets stay, whatever the symbols say.
        let offset = try btf.words(".data", .datasec)[7]
        #expect(offset == (isLinked ? 0 : 4))
    }

    /// Programs that no other object calls are verified where they are called. A function alone is
    /// a program.
    @Test(arguments: [false, true]) func hiddenFunctionsAreStatic(isAlone: Bool) throws {
        var image = BPFImage()
        if !isAlone { image.program("hook", in: "lsm/file_open") }
        let helper = image.program("helper", in: ".text")
        image.symbols[helper.symbol - 1].visibility = 2
        if !isAlone { image.program("open", in: ".text") }
        let prototype = image.btf.prototype(returns: image.int)
        for name in ["hook", "helper", "open"] {
            image.btf.function(name, prototype, linkage: .global)
        }
        let btf = try image.passedOn()
        #expect(try btf.named("hook", .func).info.vlen == 1)
        #expect(try btf.named("open", .func).info.vlen == 1)
        #expect(try btf.named("helper", .func).info.vlen == (isAlone ? 1 : 0))
    }

    @Test func kernelFunctionsBecomeOneVariable() throws {
        var image = BPFImage()
        image.program("hook", in: "lsm/file_open")
        image.extern("bpf_a", in: ".ksyms", isFunction: true)
        image.extern("bpf_b", in: ".ksyms", isFunction: true)
        image.extern("symbol", in: ".ksyms")
        let btf = try image.passedOn()
        let dummy = try btf.named("dummy_ksym", .var)
        let symbol = try btf.named("symbol", .var)
        #expect(
            try btf.words(".ksyms", .datasec).dropFirst(2) == [
                12, dummy.id.rawValue, 0, 4, dummy.id.rawValue, 4, 4, symbol.id.rawValue, 8, 4,
            ])
        #expect(try btf.named("bpf_a", .func).info.vlen == 1)
        #expect(Array(symbol.words)[3] == 1)
        // The int that is there serves.
        #expect(btf.ownRecords.count { $0.kind == .int } == 1)
    }

    /// libbpf looks strings up before it adds them.
    @Test func stringsAreThereOnce() throws {
        var image = BPFImage()
        image.program("hook", in: "lsm/file_open")
        image.extern("bpf_a", in: ".ksyms", isFunction: true)
        _ = image.btf.typedef("dummy_ksym", image.int)
        let btf = try image.passedOn()
        let text = String(decoding: btf.strings, as: UTF8.self)
        #expect(text.split(separator: "\0").count { $0 == "dummy_ksym" } == 1)
        #expect(btf.names.count { $0 == "dummy_ksym" } == 2)
    }

    enum Fault: CaseIterable { case section, externOfAnother, externWithoutSymbol }

    /// Objects that libbpf does not take have nothing to pass on.
    @Test(arguments: Fault.allCases) func faultsEndIt(_ fault: Fault) throws {
        var image = BPFImage()
        image.program("hook", in: "lsm/file_open")
        switch fault {
        case .section: image.btf.section(".nowhere", size: 0, [])
        case .externOfAnother: image.extern("map", in: nil)
        case .externWithoutSymbol:
            image.extern("symbol", in: ".ksyms")
            image.symbols.removeLast()
        }
        let file = try ELFFile(image.view(), path: "x.o")
        let section = try #require(file.section(named: ".BTF"))
        #expect(
            btfForKernel(
                try file.data(of: section), of: file,
                rules: try #require(TargetRules(KernelVersion(6, 1)))) == nil)
    }

    /// What a kernel does not know has something else in its place.
    @Test func olderKernels() throws {
        var image = BPFImage()
        image.program("hook", in: "lsm/file_open")
        let (int, prototype) = (image.int, image.btf.prototype(returns: image.int))
        let float = image.btf.float("double", size: 8)
        let tag = image.btf.typeTag("user", int)
        let wide = image.btf.enumeration64("wide", [("a", 1), ("b", 2)])
        let function = image.btf.function("hook", prototype, linkage: .global)
        let text = image.btf.declTag("text", function)
        func kinds(_ release: KernelVersion) throws -> [Kind] {
            let btf = try image.passedOn(to: release)
            return [float, tag, wide, text].compactMap { btf.record(TypeID($0))?.kind }
        }
        #expect(try kinds(KernelVersion(6, 0)) == [.float, .typeTag, .enum64, .declTag])
        #expect(try kinds(KernelVersion(5, 17)) == [.float, .typeTag, .union, .declTag])
        #expect(try kinds(KernelVersion(5, 16)) == [.float, .const, .union, .declTag])
        #expect(try kinds(KernelVersion(5, 15)) == [.float, .const, .union, .int])
        #expect(try kinds(KernelVersion(5, 10)) == [.struct, .const, .union, .int])
        let linkage = { (release: KernelVersion) in
            try image.passedOn(to: release).record(TypeID(function))?.info.vlen
        }
        #expect(try linkage(KernelVersion(5, 6)) == 1)
        #expect(try linkage(KernelVersion(5, 5)) == 0)
    }
}
