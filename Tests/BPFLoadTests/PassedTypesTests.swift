// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF
import TestSupport
import Testing

@testable import BPFLoad
@testable import BPFObject

/// The BTF that we say libbpf passes on is what it does, byte for byte.
@Suite struct PassedTypesTests {
    private func same(_ image: BPFImage) throws -> Bool {
        let trace = try LoaderTrace.run(
            object: image.view(), path: "a.o", name: "a", facts: HostFacts())
        let file = try ELFFile(image.view(), path: "a.o")
        let section = try #require(file.section(named: ".BTF"))
        // A loader is for kernels that know all kinds.
        let rules = try #require(TargetRules(KernelVersion(6, 1)))
        let ours = btfForKernel(try file.data(of: section), of: file, rules: rules)
        return try #require(ours).array == #require(trace.types)
    }

    private func image() -> BPFImage {
        var image = BPFImage()
        image.program("hook", in: "raw_tp/sys_enter")
        return image
    }

    @Test func plain() throws { #expect(try same(image())) }

    @Test(arguments: [false, true]) func variables(isLinked: Bool) throws {
        var image = image()
        image.global("first", in: ".data")
        image.global("hidden", in: ".data", visibility: 2)
        _ = image.local("inner", in: ".data")
        image.global("zero", size: 8, in: ".bss")
        image.global("internal", in: ".rodata", visibility: 1)
        if isLinked {
            image.datasecSizes = [".data": 12, ".bss": 8, ".rodata": 4]
        }
        #expect(try same(image))
    }

    @Test func externs() throws {
        var image = image()
        let function = image.extern("bpf_a", in: ".ksyms", isFunction: true, isWeak: true)
        let symbol = image.extern("symbol", in: ".ksyms", isWeak: true)
        let code = image.program(
            "other", in: "raw_tp/sys_enter", [.call(), .load(1), .move(0, 0), .exit])
        image.relocate(code, instruction: 0, to: function)
        image.relocate(code, instruction: 1, to: symbol)
        #expect(try same(image))
    }

    @Test func functions() throws {
        var image = image()
        let helper = image.program("helper", in: ".text")
        image.symbols[helper.symbol - 1].visibility = 2
        image.program("open", in: ".text")
        let prototype = image.btf.prototype(returns: image.int)
        for name in ["hook", "helper", "open"] {
            image.btf.function(name, prototype, linkage: .global)
        }
        #expect(try same(image))
    }
}
