// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import TestSupport
import Testing

/// Selected types, as bpftool prints them.
@Suite struct DumpLikeBpftoolTests {
    /// bpftool has the frame around selected types, whatever they are, and no prototypes; for
    /// functions and void there is nothing in it.
    @Test func frameOfSelectedTypesLikeBpftool() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let function = asm.function("f", asm.prototype(returns: int))
        asm.record(.declTag, "bpf_kfunc", third: function, [.max])
        let one = asm.structure("one", size: 4, [("a", int, 0)])
        let btf = try asm.parse()
        let like = COptions(isLikeBpftool: true)
        let empty = try text(BTFAssembler().parse(), .c, nil, like)
        let kfuncs = "\n/* BPF kfuncs */\n#ifndef BPF_NO_KFUNC_PROTOTYPES\n#endif\n\n"
        let parts = empty.components(around: kfuncs)
        #expect(parts.count == 2 && empty.hasPrefix("#ifndef __VMLINUX_H__\n"), "\(empty)")
        #expect(empty.contains("#define __ksym __attribute__") && empty.contains("#define __weak"))
        for id in [0, int, function] {
            #expect(try text(btf, .c, [TypeID(id)], like) == parts.joined(), "\(id)")
        }
        #expect(
            try text(btf, .c, [TypeID(one)], like)
                == parts.joined(separator: "struct one {\n\tint a;\n};\n\n"))
        // Without bpftool's rules there is no frame.
        #expect(try text(btf, .c, [TypeID(one)]) == "struct one {\n\tint a;\n};\n\n")
    }

    /// bpftool leaves tags out where it leaves qualifiers out.
    @Test func tagsOfPointersToFunctionsAndArrays() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        func tagged(_ target: UInt32) -> UInt32 {
            asm.record(.ptr, third: asm.record(.typeTag, "x", third: target))
        }
        let function = tagged(asm.prototype(returns: int))
        let array = tagged(asm.array(int, index: int, 3))
        let plain = tagged(int)
        let one = asm.structure(
            "one", size: 24, [("f", function, 0), ("a", array, 64), ("i", plain, 128)])
        let tag = "__attribute__((btf_type_tag(\"x\")))"
        let exact = try text(asm.parse(), .c, [TypeID(one)])
        #expect(exact.ranges(of: tag).count == 3, "\(exact)")
        let like = try text(asm.parse(), .c, [TypeID(one)], COptions(isLikeBpftool: true))
        let members = "\tint (*f)(void);\n\tint (*a)[3];\n\tint \(tag) *i;\n"
        #expect(like.contains(members), "\(like)")
    }
}

extension String {
    /// What lies before and behind the first `middle`.
    fileprivate func components(around middle: String) -> [String] {
        guard let range = firstRange(of: middle) else { return [self] }
        return [String(self[..<range.lowerBound]), String(self[range.upperBound...])]
    }
}
