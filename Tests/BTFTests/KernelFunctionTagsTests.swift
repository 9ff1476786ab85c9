// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// What resolve_btfids of Linux 7.3 adds for kernel functions.
@Suite struct KernelFunctionTagsTests {
    /// `int`, `struct thing`, pointers to both, and a pointer to `struct bpf_prog_aux`.
    private struct Kernel {
        var asm: BTFAssembler
        let int: UInt32
        let pointer: UInt32
        let thing: UInt32
        let aux: UInt32

        init(base: BTF? = nil) {
            asm = BTFAssembler(base: base)
            int = asm.int("int")
            pointer = asm.pointer(int)
            thing = asm.pointer(asm.structure("thing", size: 4, [("x", int, 0)]))
            aux = asm.pointer(asm.structure("bpf_prog_aux", size: 8, []))
        }

        @discardableResult
        mutating func function(
            _ name: String, returns: UInt32? = nil, _ parameters: [(String, UInt32)]
        ) -> UInt32 {
            asm.function(name, asm.prototype(returns: returns ?? int, parameters))
        }
    }

    /// Functions with their prototypes, and tags, each as one line.
    private func lines(_ btf: BTF) -> [String] {
        func text(_ id: TypeID) -> String {
            guard let record = btf.record(id) else { return "void" }
            switch record.kind {
            case .ptr: return "*" + text(record.type)
            case .typeTag: return "\(record.flag ? "" : "tag ")\(record.name) " + text(record.type)
            default: return record.name
            }
        }
        return btf.ownRecords.compactMap { record in
            switch record.kind {
            case .func:
                let proto = btf.record(record.type)!
                let parameters = (0..<proto.count).map {
                    "\(proto.elementName($0)): \(text(TypeID(proto.element($0, 1))))"
                }
                return "\(record.name)(\(parameters.joined(separator: ", "))) \(text(proto.type))"
            case .declTag: return "\(record.name) \(btf.record(record.type)!.name)"
            default: return nil
            }
        }
    }

    private func described(
        _ btf: BTF, _ functions: KeyValuePairs<String, KernelFunctionFlags>
    ) throws -> DescribedFunctions {
        try btf.describing(functions.map { KernelFunction($0, $1) })
    }

    @Test func allAtOnce() throws {
        var kernel = Kernel()
        kernel.function("plain", [("t", kernel.thing)])
        kernel.function("fast", [])
        kernel.function(
            "arena", returns: kernel.pointer,
            [("map", kernel.thing), ("addr", kernel.pointer), ("n", kernel.int)])
        kernel.function(
            "suffix", [("one__arena", kernel.thing), ("two__arena__nullable", kernel.pointer)])
        kernel.function(
            "hidden", [("n", kernel.int), ("x__arena", kernel.thing), ("aux", kernel.aux)])
        kernel.function("not_listed", [("x__arena", kernel.thing)])
        let btf = try kernel.asm.parse()
        let result = try described(
            btf,
            [
                "plain": [], "fast": .fastCall, "arena": [.arenaReturn, .arenaSecond],
                "suffix": [], "hidden": [.implicitArguments, .fastCall], "absent": .fastCall,
            ])
        #expect(result.hidden == ["hidden"] && result.isTagged)
        let expected: Set = [
            "plain(t: *thing) int", "bpf_kfunc plain",
            "fast() int", "bpf_kfunc fast", "bpf_fastcall fast",
            "arena(map: *thing, addr: *address_space(1) int, n: int) *address_space(1) int",
            "bpf_kfunc arena",
            "suffix(one__arena: *address_space(1) thing, two__arena__nullable: *address_space(1) int) int",
            "bpf_kfunc suffix",
            "hidden(n: int, x__arena: *address_space(1) thing) int", "bpf_kfunc hidden",
            "bpf_fastcall hidden",
            // The whole prototype is the source's.
            "hidden_impl(n: int, x__arena: *thing, aux: *bpf_prog_aux) int",
            "bpf_fastcall hidden_impl",
            "not_listed(x__arena: *thing) int",
        ]
        #expect(Set(lines(result.btf)) == expected && lines(result.btf).count == expected.count)
        let again = try BTF.parse(ByteView(result.btf.serialized()))
        #expect(check(again).isSound)
        #expect(again.undescribed([KernelFunction("fast", .fastCall)]).isEmpty)
        // All of it is there already: nothing is added.
        let twice = try described(
            again,
            [
                "plain": [], "fast": .fastCall, "arena": [.arenaReturn, .arenaSecond],
                "suffix": [], "hidden": [.implicitArguments, .fastCall],
            ])
        #expect(!twice.isTagged && twice.hidden.isEmpty && twice.btf === again)
        let small = try again.deduplicated(over: nil)
        #expect(Set(lines(small)) == expected)
        // One pointer to each for all functions.
        #expect(small.ownRecords.count { $0.kind == .typeTag } == 2)
    }

    /// Some of it is there: only the rest is added.
    @Test func partly() throws {
        var kernel = Kernel()
        let tagged = kernel.asm.pointer(
            kernel.asm.typeTag("address_space(1)", kernel.int, flag: true))
        let f = kernel.function("f", returns: tagged, [("p", kernel.pointer), ("q", tagged)])
        kernel.asm.declTag("bpf_kfunc", f)
        // Not the same: of an argument, an attribute, the text alone.
        let g = kernel.function("g", [("a", kernel.int)])
        kernel.asm.declTag("bpf_kfunc", g, component: 0)
        kernel.asm.declTag("bpf_fastcall", g, flag: true)
        let text = kernel.asm.pointer(kernel.asm.typeTag("address_space(1)", kernel.int))
        kernel.function("h", [("p__arena", text)])
        let btf = try kernel.asm.parse()
        #expect(btf.taggedKernelFunctions(among: ["f", "g", "h", "absent"]) == ["f"])
        #expect(
            btf.undescribed(
                [("f", .arenas.union(.fastCall)), ("g", .fastCall), ("h", [])].map {
                    KernelFunction($0, $1)
                }
            ).map { "\($0.name): \($0.missing.joined(separator: ", "))" } == [
                "f: the tag bpf_fastcall, an arena attribute",
                "g: the tag bpf_kfunc, the tag bpf_fastcall",
                "h: the tag bpf_kfunc, an arena attribute",
            ])
        let result = try described(btf, ["f": .arenas, "g": .fastCall, "h": []]).btf
        #expect(
            lines(result) == [
                "f(p: *address_space(1) int, q: *address_space(1) int) *address_space(1) int",
                "bpf_kfunc f", "g(a: int) int", "bpf_kfunc g", "bpf_fastcall g",
                "h(p__arena: *address_space(1) tag address_space(1) int) int",
                "bpf_kfunc g", "bpf_fastcall g", "bpf_kfunc h",
            ])
    }

    /// A module describes its own functions, not the base's, and its `f_impl` is its own.
    @Test func module() throws {
        var kernel = Kernel()
        kernel.function("base", [])
        kernel.function("f_impl", [])
        let base = try kernel.asm.parse()
        var module = BTFAssembler(base: base)
        module.function("f", module.prototype([("x__arena", kernel.thing), ("aux", kernel.aux)]))
        let btf = try module.parse()
        #expect(btf.ownFunctions(among: ["base", "f"]) == ["f"])
        let result = try described(btf, ["base": [], "f": .implicitArguments])
        let small = try result.btf.deduplicated(over: BaseIndex(base))
        #expect(
            Set(lines(small)) == [
                "f(x__arena: *address_space(1) thing) void", "bpf_kfunc f",
                "f_impl(x__arena: *thing, aux: *bpf_prog_aux) void",
            ])
        #expect(small.base === base)
    }

    /// Another function with the same prototype keeps it; of two with one name the first counts.
    @Test func sharedPrototype() throws {
        var kernel = Kernel()
        let proto = kernel.asm.prototype(returns: 0, [("p", kernel.pointer)])
        for name in ["f", "g", "f"] { kernel.asm.function(name, proto) }
        let result = try described(try kernel.asm.parse(), ["f": .arenaFirst]).btf
        #expect(
            lines(result) == [
                "f(p: *address_space(1) int) void", "g(p: *int) void", "f(p: *int) void",
                "bpf_kfunc f",
            ])
    }

    @Test func notPointers() throws {
        for (flags, parameters, what): (KernelFunctionFlags, [(String, UInt32)], String) in [
            (.arenaReturn, [], "its return type is INT int"),
            (.arenaFirst, [("n", 1)], "parameter 1 is INT int"),
            ([], [("p", 2), ("n__arena", 1)], "parameter 2 is INT int"),
            ([], [("n__arena__nullable", 0)], "parameter 1 is void"),
        ] {
            var kernel = Kernel()
            kernel.function("f", parameters)
            let btf = try kernel.asm.parse()
            let error = #expect(throws: BTFError.self) { try described(btf, ["f": flags]) }
            #expect(error?.message == "kfunc f: arena type is not a pointer: \(what)")
        }
        // A flag for a parameter that does not exist is of no account.
        var kernel = Kernel()
        kernel.function("f", [("p", kernel.pointer)])
        #expect(
            try lines(described(try kernel.asm.parse(), ["f": .arenaSecond]).btf)
                == ["f(p: *int) int", "bpf_kfunc f"])
        kernel = Kernel()
        kernel.asm.function("f", kernel.int)
        let broken = try kernel.asm.parse()
        #expect(throws: BTFError.self) { try described(broken, ["f": []]) }
        // Tags without an end.
        kernel = Kernel()
        let loop = kernel.asm.typeTag("x", kernel.asm.nextID + 1, flag: true)
        kernel.asm.typeTag("y", loop, flag: true)
        kernel.function("f", [("p__arena", kernel.asm.pointer(loop))])
        #expect(try described(try kernel.asm.parse(), ["f": []]).isTagged)
    }
}
