// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import ELF
import TestSupport
import Testing

/// What registering kernel functions would say.
@Suite struct RegistrationTests {
    /// A set with these functions, filled in, and what is said about it.
    private func faults(
        _ btf: BTF, _ functions: [(name: String, flags: UInt32)], static names: Set<String> = [],
        version: KernelVersion? = nil, setFlags: UInt32 = 1
    ) throws -> [String] {
        var asm = IDAssembler()
        asm.set8("s", flags: setFlags, functions.map { ("func__\($0.name)", 0, $0.flags) })
        let open = try #require(
            try IDSection.read(ELFFile(ByteView(asm.image().bytes()), path: "x")))
        asm.bytes = try open.resolved(in: btf).bytes
        let section = try #require(
            try IDSection.read(ELFFile(ByteView(asm.image().bytes()), path: "x")))
        return section.registrationFaults(in: btf, staticFunctions: names, version: version)
            .map { String($0.description.dropFirst("set s: ".count)) }
    }

    @Test func functions() throws {
        var asm = BTFAssembler()
        let int = asm.int("int")
        let pointer = asm.pointer(int)
        asm.function("good", asm.prototype(returns: pointer, [("p", pointer)]))
        asm.function("plain", asm.prototype(returns: int, [("n", int)]))
        asm.function("broken", int)
        let btf = try asm.parse()
        #expect(
            try faults(btf, [("good", 0x7_e003 & ~0x1_0000), ("plain", 0)]) == [
                "kfunc good: KF_ARENA_ARG2, but argument 2 is not a pointer"
            ])
        #expect(try faults(btf, [("good", 3), ("plain", 0)]).isEmpty)
        #expect(
            try faults(
                btf, [("plain", 0x1_e003), ("gone", 0), ("broken", 0)], static: ["plain"]) == [
                    "kfunc plain: it is static: compilers may change or remove it, and kernels do not support that",
                    "kfunc plain: KF_ACQUIRE, but it does not return a pointer: programs cannot call it",
                    "kfunc plain: KF_RELEASE, but no parameter is a pointer: programs cannot call it",
                    "kfunc plain: KF_ARENA_RET, but it does not return a pointer",
                    "kfunc plain: KF_ARENA_ARG1, but argument 1 is not a pointer",
                    "kfunc plain: KF_ARENA_ARG2, but argument 2 is not a pointer",
                    "kfunc plain: KF_IMPLICIT_ARGS, but there is no plain_impl: programs cannot call it",
                    "kfunc gone: it is not a function of this file's BTF: registration fails (EINVAL)",
                    "kfunc broken: it has no prototype: registration fails (EINVAL)",
                ])
        // Sets for other purposes.
        #expect(try faults(btf, [("gone", 0), ("plain", 1)], setFlags: 0).isEmpty)
        for (version, unknown): (KernelVersion?, String?) in [
            (nil, nil), (KernelVersion(7, 3), nil), (KernelVersion(7, 2), "0x60000"),
        ] {
            #expect(
                try faults(btf, [("plain", 0x6_0000)], version: version)
                    == (unknown.map {
                        ["kfunc plain: flags \($0) are unknown to Linux 7.2: they have no effect"]
                    } ?? []))
        }
    }

    @Test func iterators() throws {
        func said(
            _ name: String, _ flags: UInt32, size: UInt32 = 16, returns: UInt32 = 0,
            extra: Bool = false, tag: String = "bpf_iter_x"
        ) throws -> [String] {
            var asm = BTFAssembler()
            let int = asm.int("int")  // 1
            asm.pointer(int)  // 2
            let iterator = asm.pointer(asm.structure(tag, size: size, []))
            asm.function(
                name,
                asm.prototype(
                    returns: returns, [("it", iterator)] + (extra ? [("n", int)] : [])))
            return try faults(try asm.parse(), [(name, flags)])
        }
        #expect(try said("bpf_iter_x_new", 1 << 8, returns: 1, extra: true).isEmpty)
        #expect(try said("bpf_iter_x_next", 1 << 9, returns: 2).isEmpty)
        #expect(try said("bpf_iter_x_destroy", 1 << 10).isEmpty)
        for (faults, what) in [
            (try said("bpf_iter_x_new", 3 << 8), "more than one"),
            (try said("bpf_iter_y_new", 1 << 8), "expected the name bpf_iter_x_new"),
            (try said("bpf_iter_x_new", 1 << 8, size: 12), "expected a multiple of 8"),
            (try said("bpf_iter_x_next", 1 << 9, returns: 1), "does not return a pointer"),
            (try said("bpf_iter_x_next", 1 << 9, returns: 2, extra: true), "expected 1"),
            (try said("bpf_iter_x_destroy", 1 << 10, returns: 1), "does not return void"),
            (
                try said("bpf_iter_x_new", 1 << 8, tag: "other"),
                "not a pointer to a struct bpf_iter_"
            ),
        ] {
            #expect(faults.count == 1 && faults[0].contains(what), "\(faults)")
            #expect(faults.first?.hasSuffix("registration fails (EINVAL)") == true)
        }
    }

    @Test func tooMany() throws {
        var asm = BTFAssembler()
        let proto = asm.prototype()
        let names = (0..<257).map { "f\($0)" }
        for name in names { asm.function(name, proto) }
        let btf = try asm.parse()
        #expect(
            try faults(btf, names.map { ($0, 0) })
                == ["257 functions, registration accepts 256 (E2BIG)"])
        #expect(try faults(btf, names.dropLast().map { ($0, 0) }).isEmpty)
    }
}
