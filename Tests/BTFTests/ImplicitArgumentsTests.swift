// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@Suite struct ImplicitArgumentsTests {
    /// 1 int, 2 struct bpf_prog_aux, 3 typedef of it, 4 const of that, 5 pointer to 4, 6 const of 5
    private struct Kernel {
        var asm = BTFAssembler()
        let int: UInt32
        let pointer: UInt32

        init() {
            int = asm.int("int")
            let aux = asm.structure("bpf_prog_aux", size: 8, [])
            let alias = asm.typedef("aux_t", aux)
            pointer = asm.wrap(.const, asm.pointer(asm.wrap(.const, alias)))
        }

        /// `int NAME(int n, POINTER aux, int rest)`, tagged as a kfunc.
        mutating func function(_ name: String, _ pointer: UInt32? = nil) -> UInt32 {
            let proto = asm.prototype(
                returns: int,
                [("n", int), ("aux", pointer ?? self.pointer), ("rest", int)])
            let function = asm.function(name, proto, linkage: .global)
            asm.declTag("bpf_kfunc", function)
            return function
        }
    }

    /// Functions and their tags, each as one line.
    private func lines(_ btf: BTF) -> [String] {
        btf.ownRecords.compactMap { record in
            switch record.kind {
            case .func:
                let proto = btf.record(record.type)!
                let names = (0..<proto.count).map { proto.elementName($0) }
                return "\(record.linkage) \(record.name)(\(names.joined(separator: ", ")))"
            case .declTag:
                return "\(record.name) \(btf.record(record.type)!.name) "
                    + "\(Int32(bitPattern: record.fixed(0)))\(record.flag ? " attribute" : "")"
            default: return nil
            }
        }
    }

    @Test func hidden() throws {
        var kernel = Kernel()
        let f = kernel.function("f")
        kernel.asm.declTag("bpf_fastcall", f)
        kernel.asm.declTag("other", f, component: 0, flag: true)
        _ = kernel.function("g")
        let btf = try kernel.asm.parse()
        let hidden = try btf.hidingImplicitArguments(of: ["f", "absent"])
        #expect(hidden.functions == ["f"])
        let again = try BTF.parse(ByteView(hidden.btf.serialized()))
        #expect(
            lines(again) == [
                "1 f(n)", "bpf_kfunc f -1", "bpf_fastcall f -1", "other f 0 attribute",
                "1 g(n, aux, rest)", "bpf_kfunc g -1",
                "1 f_impl(n, aux, rest)", "bpf_fastcall f_impl -1", "other f_impl 0 attribute",
            ])
        #expect(again.record(again.record(TypeID(f))!.type)!.type.rawValue == kernel.int)
        #expect(check(again).isSound)
        // Done again, nothing is left to do.
        let twice = try again.hidingImplicitArguments(of: ["f"])
        #expect(twice.functions.isEmpty && twice.btf === again)
    }

    /// The source may declare `f_impl` itself, in the base even.
    @Test func ownImplementation() throws {
        var kernel = Kernel()
        _ = kernel.function("f")
        kernel.asm.function("f_impl", kernel.asm.prototype())
        let btf = try kernel.asm.parse()
        let hidden = try btf.hidingImplicitArguments(of: ["f"]).btf
        #expect(lines(hidden) == ["1 f(n)", "bpf_kfunc f -1", "0 f_impl()"])
        var module = BTFAssembler(base: btf)
        let proto = module.prototype(returns: 0, [("aux", kernel.pointer)])
        module.declTag("bpf_kfunc", module.function("f", proto))
        // The base's f is not its business.
        let own = try module.parse().hidingImplicitArguments(of: ["f"])
        #expect(own.functions == ["f"] && lines(own.btf) == ["0 f()", "bpf_kfunc f -1"])
    }

    /// What is no such argument: to no struct, of another name, or no pointer.
    @Test(arguments: ["bpf_prog", "btf_struct_meta"]) func types(_ name: String) throws {
        for isPointer in [true, false] {
            var kernel = Kernel()
            let structure = kernel.asm.structure(name, size: 4, [])
            let type = isPointer ? kernel.asm.pointer(structure) : structure
            _ = kernel.function("f", type)
            let hidden = try kernel.asm.parse().hidingImplicitArguments(of: ["f"]).btf
            let isHidden = isPointer && name == "btf_struct_meta"
            #expect(lines(hidden).contains(isHidden ? "1 f(n)" : "1 f(n, aux, rest)"))
            // The verifier wants the other one in any case.
            #expect(lines(hidden).contains("1 f_impl(n, aux, rest)"))
        }
    }

    /// Tags that do not make a kfunc.
    @Test func otherTags() throws {
        var kernel = Kernel()
        let proto = kernel.asm.prototype(returns: 0, [("aux", kernel.pointer)])
        for (tag, component, flag): (String, Int32, Bool) in [
            ("bpf_kfunc", 0, false), ("bpf_kfunc", -1, true), ("bpf_kfunc2", -1, false),
        ] {
            kernel.asm.declTag(
                tag, kernel.asm.function("f", proto), component: component, flag: flag)
        }
        kernel.asm.declTag("bpf_kfunc", kernel.int)
        kernel.asm.declTag("bpf_kfunc", 999)
        let btf = try kernel.asm.parse()
        #expect(try btf.hidingImplicitArguments(of: ["f", "int"]).btf === btf)
    }

    @Test func faults() throws {
        var kernel = Kernel()
        kernel.asm.declTag("bpf_kfunc", kernel.asm.function("f", kernel.int))
        let broken = try kernel.asm.parse()
        let error = #expect(throws: BTFError.self) {
            try broken.hidingImplicitArguments(of: ["f"])
        }
        #expect(error?.message == "function f refers to type 1, which is not a FUNC_PROTO")
        for (count, fits) in [(506, true), (507, false)] {
            var kernel = Kernel()
            let name = String(repeating: "f", count: count)
            _ = kernel.function(name)
            let btf = try kernel.asm.parse()
            #expect(((try? btf.hidingImplicitArguments(of: [name])) != nil) == fits)
        }
        // A chain of modifiers without an end.
        kernel = Kernel()
        let loop = kernel.asm.wrap(.const, kernel.asm.nextID + 1)
        kernel.asm.wrap(.const, loop)
        _ = kernel.function("f", loop)
        let hidden = try kernel.asm.parse().hidingImplicitArguments(of: ["f"]).btf
        #expect(lines(hidden).contains("1 f(n, aux, rest)"))
    }
}
