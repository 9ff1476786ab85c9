// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@testable import BPFObject

/// What a loader of libbpf's cannot do is said before libbpf is asked.
@Suite struct LoaderObstacleTests {
    private func obstacles(
        kernel: BTF? = nil, _ library: LibBPFVersion = .oldest,
        _ change: (inout BPFImage) throws -> Void
    ) throws -> [String] {
        var image = BPFImage()
        try change(&image)
        return try image.read().loaderObstacles(kernel: kernel, of: library).map(\.description)
    }

    private func obstacle(
        kernel: BTF? = nil, _ library: LibBPFVersion = .oldest,
        _ change: (inout BPFImage) throws -> Void
    ) throws -> String? {
        let all = try obstacles(kernel: kernel, library, change)
        #expect(all.count < 2, "\(all)")
        return all.first
    }

    @Test func none() throws {
        let found = try obstacles { image in
            image.map("m", type: 1)
            image.program("p", in: "fentry/do_exit")
            image.program("skipped", in: "?fentry")
        }
        #expect(found == [])
        // Maps alone may be loaded, too.
        #expect(try obstacles { $0.map("m", type: 1) } == [])
    }

    /// Where they lie is what they are for: no hint sends them to .data.
    @Test func arenas() throws {
        var image = BPFImage()
        image.global("first", size: 8, in: ".addr_space.1")
        let second = image.global("second", size: 8, in: ".addr_space.1")
        let program = image.program("p", in: "xdp", [.load(1), .load(2, 4), .exit])
        image.relocate(program, instruction: 0, to: second)
        image.relocate(program, instruction: 1, to: image.symbol(ofSection: ".addr_space.1"))
        let object = try image.read()
        #expect(object.arena?.variables.map(\.offset) == [0, 8] && object.maps.isEmpty)
        #expect(
            object.functions[0].references.map(\.target) == [.arena(offset: 8), .arena(offset: 4)])
        let obstacle = try #require(object.loaderObstacles(of: .newest).first)
        #expect(
            obstacle.description
                == "x.o: .addr_space.1: 16 bytes of arena variables, which a loader cannot place in the arena's memory"
        )
        #expect(obstacle.hint == "load the object with libbpf 1.4 or later in user space")
    }

    /// The address at which user space and programs see it.
    @Test func arenasWithoutVariables() throws {
        func arena(_ image: inout BPFImage, _ extra: UInt32?, pages: UInt32 = 4) {
            image.map(
                "a",
                [("type", image.number(33)), ("max_entries", image.number(pages))]
                    + (extra.map { [("map_extra", $0)] } ?? []))
        }
        for library in [LibBPFVersion.oldest, .newest] {
            #expect(
                try obstacle(library) { arena(&$0, nil) }
                    == "x.o: .maps+0x0: map 'a' is an arena without an address (map_extra), which kernels accept "
                    + "in programs only after user space has mapped it")
            let placed = try obstacle(library) { image in
                let extra = image.number(1 << 20)
                arena(&image, extra)
            }
            #expect(placed == nil)
        }
        // Beyond 32 bits, as __ulong has it.
        func long(
            _ library: LibBPFVersion, _ extra: UInt64 = 1 << 44, pages: UInt32 = 4
        ) throws -> String? {
            try obstacle(library) { image in
                let extra = image.btf.enumeration64("", [("___bpf_concat", extra)])
                arena(&image, extra, pages: pages)
            }
        }
        #expect(
            try long(LibBPFVersion(1, 3))?.hasSuffix(
                "map 'a' has a map_extra of __ulong, which libbpf 1.3 does not read, but libbpf 1.4 does"
            )
                == true)
        #expect(try long(LibBPFVersion(1, 4)) == nil)
        // What the kernel accepts: whole pages, up to 4 GiB, without carries in the low half.
        #expect(try long(.newest, pages: 1 << 20) == nil)
        #expect(try long(.newest, pages: 1 << 20 | 1)?.contains("1048577 pages") == true)
        #expect(try long(.newest, pages: 0)?.contains("0 pages") == true)
        #expect(try long(.newest, 1 << 44 | 8)?.contains("0x100000000008") == true)
        #expect(try long(.newest, 1 << 44 - 4096, pages: 1) == nil)
        #expect(
            try long(.newest, 1 << 44 - 4096, pages: 2)?.contains("a boundary of 4 GiB") == true)
        #expect(try long(.newest, .max - 4095, pages: 2)?.contains("a boundary of 4 GiB") == true)
        for wide in [true, false] {
            var image = BPFImage()
            let extra =
                wide
                ? image.btf.enumeration64("", [("___bpf_concat", 1 << 44)])
                : image.btf.enumeration("", [("___bpf_concat", 4096)])
            arena(&image, extra)
            #expect(try image.read().maps[0].definition.extra == (wide ? 1 << 44 : 4096))
        }
    }

    /// A map of one value for each CPU, which no version before 1.8 makes.
    @Test func perCPUVariables() throws {
        func variables(_ size: Int) throws -> BPFObject {
            var image = BPFImage()
            image.global("x", size: UInt32(size), in: ".percpu.x")
            image.program("p", in: "xdp")
            return try image.read()
        }
        let object = try variables(8)
        #expect(object.maps.map(\.definition.type) == [MapType.perCPUArray])
        #expect(object.maps[0].definition.flags == 0 && object.maps[0].name == ".percpu.x")
        #expect(object.loaderObstacles(of: .newest) == [])
        let old = try #require(object.loaderObstacles(of: LibBPFVersion(1, 7)).first)
        #expect(
            old.description
                == "x.o: .percpu.x: map '.percpu.x' has variables of each CPU, which libbpf 1.7 does not know, but "
                + "libbpf 1.8 of Linux 7.3 does")
        #expect(object.perCPUObstacle(of: .newest)?.message.contains("libbpf 1.8 does not") == true)
        let large = try variables(32769).loaderObstacles(of: .newest)
        #expect(large.map(\.message).first?.contains("32769 bytes for each CPU") == true)
        #expect(try variables(32768).loaderObstacles(of: .newest) == [])
    }

    /// Each program that newer versions know is refused by the version before.
    @Test(arguments: [
        ("struct_ops.s/x", 2), ("uprobe.multi//bin/x:f", 3), ("uretprobe.multi.s/x", 3),
        ("usdt.s/x", 3), ("tc/ingress", 3), ("tcx/egress", 3), ("netkit/primary", 3),
        ("netkit/peer", 3), ("netfilter", 3), ("cgroup/connect_unix", 3),
        ("cgroup/getsockname_unix", 3), ("sk_skb/verdict", 4), ("kprobe.session/f*", 5),
        ("uprobe.session/x", 6), ("uprobe.session.s/x", 6), ("fsession/f", 7), ("fsession.s/f", 7),
        ("fentry.multi/f*", 8), ("fexit.multi", 8), ("fsession.multi.s/f*", 8), ("tp.s/a/b", 8),
        ("raw_tp.s/x", 8), ("tp_btf.s/x", 8),
    ]) func newSections(_ section: String, _ minor: Int) throws {
        func program(_ minor: Int) throws -> [String] {
            try obstacles(LibBPFVersion(1, minor)) { $0.program("p", in: section) }
        }
        #expect(
            try program(minor - 1).contains(
                "x.o: \(section)+0x0: program 'p' is in a section that libbpf 1.\(minor - 1) does not know, but "
                    + "libbpf 1.\(minor) does"))
        #expect(try program(minor).allSatisfy { $0.contains("struct_ops") })
        #expect(try program(9).allSatisfy { $0.contains("struct_ops") })
    }

    @Test func manyFunctionsOfAModule() throws {
        let found = try obstacle(.newest) { $0.program("p", in: "fentry.multi/nf_nat:f*") }
        #expect(
            found?.contains("selects functions of a module, which a loader cannot look up") == true)
        #expect(try obstacle(.newest) { $0.program("p", in: "fsession") } != nil)
    }

    @Test func wholeObject() throws {
        #expect(
            try obstacle { _ in }
                == "x.o: neither programs nor maps")
        // Kernels decide what programs without a license may do.
        var image = BPFImage(license: nil)
        image.program("p", in: "xdp")
        #expect(try image.read().loaderObstacles(of: .oldest).isEmpty)
        var big = BPFImage(bigEndian: UInt16(1).bigEndian != 1)
        big.program("p", in: "xdp")
        let order = try #require(big.read().loaderObstacles(of: .newest).first)
        #expect(
            order.message.hasSuffix("kbtf generates loaders in the byte order of its machine only"))
        let old = try #require(big.read().loaderObstacles(of: .oldest).first)
        #expect(
            old.message.hasSuffix(
                "libbpf \(LibBPFVersion.oldest) generates loaders in the byte order of its machine only, "
                    + "libbpf 1.5 and later in both"))
        // Another -target is for who has no such machine in mind.
        #expect(order.hint?.hasPrefix("run kbtf on a") == true)
        for section in [".struct_ops.link", "?.struct_ops", "?.struct_ops.link"] {
            #expect(
                try obstacle { image in
                    image.program("p", in: "xdp")
                    image.operations("x", in: section)
                } == "x.o: \(section): libbpf's loaders do not support struct_ops")
        }
        #expect(
            try obstacle { $0.program("p", in: "struct_ops/init") }
                == "x.o: struct_ops/init: libbpf's loaders do not support struct_ops")
    }

    /// Every function takes a place, also those that programs call.
    @Test func functions() throws {
        func fill(_ programs: Int, _ inner: Int) throws -> String? {
            try obstacle { image in
                for number in 0..<programs { image.program("p\(number)", in: "fentry/f\(number)") }
                for number in 0..<inner { image.program("f\(number)", in: ".text") }
            }
        }
        #expect(try fill(32, 0) == nil)
        #expect(try fill(20, 12) == nil)
        #expect(
            try fill(33, 0)
                == "x.o: 33 programs and 0 functions that they call, but a loader has room for 32 together"
        )
        #expect(
            try fill(1, 32)
                == "x.o: 1 programs and 32 functions that they call, but a loader has room for 32 together"
        )
    }

    @Test func maps() throws {
        func fill(_ count: Int) throws -> String? {
            try obstacle { image in
                for number in 0..<count { image.map("m\(number)", type: 1) }
                image.global("x", in: ".data")
            }
        }
        #expect(try fill(63) == nil)
        #expect(
            try fill(64)
                == "x.o: 65 maps, 1 of them for data sections, but a loader has room for 64")
    }

    @Test func names() throws {
        #expect(
            try obstacle { image in
                image.program("p", in: "xdp")
                image.program("p", in: "tc")
            } == "x.o: tc+0x0: duplicate program name 'p', the first is in xdp")
        #expect(
            try obstacle { image in
                image.map("m", type: 1)
                image.map("m", type: 2)
            }?.hasSuffix("duplicate map name 'm'") == true)
    }

    @Test func targets() throws {
        func program(_ section: String) throws -> String? {
            try obstacle { $0.program("p", in: section) }
        }
        #expect(
            try program("whatever")
                == "x.o: whatever+0x0: program 'p' is in a section whose name libbpf 1.1 does not know"
        )
        #expect(try program("fentry")?.hasSuffix("does not say what it attaches to") == true)
        #expect(try program("lsm/")?.hasSuffix("does not say what it attaches to") == true)
        #expect(try program("freplace/f")?.contains("replaces a function") == true)
        #expect(
            try program("fentry/nf_nat:f")?.contains(
                "do not support a module name before a function")
                == true)
        let name = String(repeating: "a", count: 119)
        #expect(try program("lsm/\(name)") == nil)
        #expect(
            try program("lsm/\(name)a")?.hasSuffix(
                "attaches to a name of 128 bytes with 'bpf_lsm_', but a loader accepts 127") == true
        )
        #expect(try program("fentry/\(name)12345678") == nil)
        #expect(try program("fentry/\(name)123456789") != nil)
        // It is copied to a page that ends, and the kernel reads no more.
        #expect(try program("raw_tp/\(name)12345678") == nil)
        for section in ["raw_tp", "raw_tracepoint", "raw_tp.w", "raw_tracepoint.w"] {
            #expect(
                try program("\(section)/\(name)123456789")?.hasSuffix(
                    "attaches to a tracepoint whose name has 128 bytes, but the kernel accepts 127")
                    == true)
        }
        // Attached by none, but loaded.
        #expect(try program("kprobe/f") == nil)
    }

    @Test func mapContents() throws {
        #expect(
            try obstacle { image in
                let values = image.btf.array(
                    image.btf.pointer(image.btf.prototype()), index: image.int, 0)
                image.map(
                    "jumps", slots: 1,
                    [
                        ("type", image.number(3)), ("max_entries", image.number(1)),
                        ("values", values),
                    ])
                let program = image.program("p", in: "xdp")
                image.relocations[image.place(".maps")] = [(16, program.symbol)]
            }
                == "x.o: .maps+0x0: map 'jumps' is initialised with programs, which libbpf's loaders do not support"
        )
        #expect(
            try obstacle { $0.map("outer", type: 13) }?.contains("does not define its inner map")
                == true)
        #expect(try obstacle { $0.map("ops", type: 26) }?.contains("belongs to struct_ops") == true)
        #expect(
            try obstacle { image in
                image.global("x", size: 4, in: ".bss")
                image.sections[image.place(".bss") - 1].size = 200 << 20
            }?.contains("its variables take 209715200 bytes") == true)
    }

    @Test func undefined() throws {
        let found = try obstacle { image in
            let symbol = image.extern("helper", in: nil)
            image.relocate(
                image.program("p", in: "xdp", [.call(), .exit]), instruction: 0, to: symbol)
        }
        #expect(found == "x.o: .symtab+0x18: 'helper' is not defined")
    }

    // MARK: What libbpf 1.1 gets wrong

    private func structure(_ image: inout BPFImage) -> UInt32 {
        image.btf.structure("rq", size: 4, [("x", image.int, 0)])
    }

    /// Once a program is right; a second time in another program as well.
    @Test func addressTwice() throws {
        func image(
            _ programs: [[BPFImage.Instruction]], _ library: LibBPFVersion = .oldest
        ) throws -> String? {
            try obstacle(library) { image in
                let type = structure(&image)
                let symbol = image.extern("runqueues", type: type, in: ".ksyms")
                for (number, code) in programs.enumerated() {
                    let program = image.program("p\(number)", in: "fentry/f", code)
                    for index in 0..<code.count - 1 {
                        image.relocate(program, instruction: index, to: symbol)
                    }
                }
            }
        }
        #expect(try image([[.load(1), .exit], [.load(1), .exit]]) == nil)
        #expect(
            try image([[.load(1), .load(2), .exit]])
                == "x.o: fentry/f+0x10: program 'p0' loads the address of 'runqueues' twice, but a loader of "
                + "libbpf 1.1 corrupts the second")
        #expect(try image([[.load(1), .load(2), .exit]], LibBPFVersion(1, 2)) == nil)
    }

    /// The second load is in a function that the program calls.
    @Test func addressTwiceByCall() throws {
        let found = try obstacle { image in
            let type = structure(&image)
            let symbol = image.extern("runqueues", type: type, in: ".ksyms")
            let inner = image.program("inner", in: ".text", [.load(1), .exit])
            image.relocate(inner, instruction: 0, to: symbol)
            let program = image.program("p", in: "fentry/f", [.call(), .load(1), .exit])
            image.relocate(program, instruction: 0, to: inner.symbol)
            image.relocate(program, instruction: 1, to: symbol)
        }
        #expect(
            found?.hasPrefix(
                "x.o: .text+0x0: program 'p' loads the address of 'runqueues' twice") == true)
    }

    @Test func addressOfKfunc() throws {
        func found(_ library: LibBPFVersion) throws -> String? {
            try obstacle(library) { image in
                let symbol = image.extern("bpf_go", in: ".ksyms", isFunction: true, isWeak: true)
                let program = image.program("p", in: "fentry/f", [.load(1), .call(), .exit])
                image.relocate(program, instruction: 0, to: symbol)
                image.relocate(program, instruction: 1, to: symbol)
            }
        }
        #expect(try found(LibBPFVersion(1, 2)) == nil)
        #expect(
            try found(.oldest)
                == "x.o: fentry/f+0x0: the address of kfunc 'bpf_go' is taken, which a loader of libbpf 1.1 "
                + "searches among variables")
    }

    /// With a kernel's BTF, and as many kfuncs as allowed.
    @Test func kfuncsOfManyPrograms() throws {
        var kernel = BTFAssembler()
        let prototype = kernel.prototype()
        for number in 0..<60_000 { kernel.function("kernel_function_\(number)", prototype) }
        let types = try kernel.parse()
        var found: [String] = []
        let needed = try processorSeconds {
            found = try obstacles(kernel: types) { image in
                for program in 0..<20 {
                    let symbols = (0..<100).map {
                        image.extern("kfunc_\(program)_\($0)", in: ".ksyms", isFunction: true)
                    }
                    let code = image.program(
                        "p\(program)", in: "fentry/f",
                        symbols.map { _ in BPFImage.Instruction.call() } + [.exit])
                    for (index, symbol) in symbols.enumerated() {
                        image.relocate(code, instruction: index, to: symbol)
                    }
                }
            }
        }
        #expect(needed < 60)
        // None is the kernel's, so nothing of a module can be taken for one of those. They are too
        // many, though.
        #expect(found.count == 1 && found[0].contains("could not jump back"), "\(found)")
    }

    /// The place of a module's kfunc in the loader's table stays behind, for one of the kernel's
    /// own after it.
    @Test func kfuncsAfterAModule() throws {
        var kernel = BTFAssembler()
        let prototype = kernel.prototype()
        for name in ["own_a", "own_b"] { kernel.function(name, prototype) }
        let types = try kernel.parse()
        func programs(
            _ programs: [[String]], kernel: BTF? = nil, isWeak: Bool = false,
            _ library: LibBPFVersion = .oldest
        ) throws -> String? {
            try obstacle(kernel: kernel, library) { image in
                var symbols: [String: Int] = [:]
                for name in Set(programs.joined()).sorted() {
                    symbols[name] = image.extern(
                        name, in: ".ksyms", isFunction: true, isWeak: isWeak)
                }
                for (number, names) in programs.enumerated() {
                    let program = image.program(
                        "p\(number)", in: "fentry/f",
                        names.map { _ in BPFImage.Instruction.call() } + [.exit])
                    for (index, name) in names.enumerated() {
                        image.relocate(program, instruction: index, to: symbols[name]!)
                    }
                }
            }
        }
        // The same in the same place, and one after the other in one program.
        #expect(try programs([["a", "b"], ["a", "b", "c"], ["a"]]) == nil)
        #expect(try programs([["a", "a", "b"], ["a", "b"]]) == nil)
        let mixed = try programs([["module_a"], ["own_a"]])
        #expect(
            mixed
                == "x.o: fentry/f+0x10: kfunc 'own_a' follows 'module_a' of program 'p0' in the loader's table: if "
                + "that is a module's kfunc and this is not, a loader of libbpf 1.1 closes a file it does not own"
        )
        #expect(try programs([["module_a"], ["own_a"]], kernel: types) == mixed)
        #expect(
            try programs([["module_a"], ["own_a"]], LibBPFVersion(1, 2))?.contains("1.2 closes")
                == true)
        #expect(try programs([["module_a"], ["own_a"]], LibBPFVersion(1, 3)) == nil)
        // With the kernel's types it is known that nothing is wrong.
        #expect(try programs([["own_a"], ["own_b"]]) != nil)
        #expect(try programs([["own_a"], ["own_b"], ["module_a"]], kernel: types) == nil)
        #expect(try programs([["module_a"], ["module_b"]], kernel: types) == nil)
        // A weak one may be missing, and then nothing is written over either.
        #expect(try programs([["module_a"], ["module_b"]], kernel: types, isWeak: true) != nil)
    }

    @Test func manyKfuncs() throws {
        func count(_ count: Int) throws -> String? {
            try obstacle { image in
                let code = (0..<count).map { _ in BPFImage.Instruction.call() }
                let program = image.program("p", in: "fentry/f", code + [.exit])
                for number in 0..<count {
                    image.relocate(
                        program, instruction: number,
                        to: image.extern("f\(number)", in: ".ksyms", isFunction: true))
                }
            }
        }
        #expect(try count(256) == nil)
        #expect(
            try count(257)
                == "x.o: fentry/f+0x0: program 'p' calls 257 kfuncs, but the kernel accepts 256")
    }

    /// Errors jump back to the loader's start, over 32768 instructions at most.
    @Test func longLoaders() throws {
        func uses(_ count: Int) throws -> String? {
            try obstacle { image in
                let symbol = image.extern("f", in: ".ksyms", isFunction: true)
                let code = (0..<count).map { _ in BPFImage.Instruction.call() }
                let program = image.program("p", in: "fentry/f", code + [.exit])
                for number in 0..<count {
                    image.relocate(program, instruction: number, to: symbol)
                }
            }
        }
        // 14 instructions for each use but the first, so it is between these.
        #expect(try uses(2300) == nil)
        #expect(try uses(2400)?.contains("an error could not jump back") == true)
    }
}

extension LibBPFVersion {
    fileprivate static let oldest = Self(1, 1)
    fileprivate static let newest = Self(1, 8)
}
