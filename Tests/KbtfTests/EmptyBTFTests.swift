// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import TestSupport
import Testing

/// BTF with no type but void: what `gen min_core_btf` writes for an object that needs nothing, and
/// split BTF that adds nothing. All but a kernel can read it, without a base.
@Suite struct EmptyBTFTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func standalone(_ headerLength: Int) throws -> String {
        try scratch.write("\(headerLength).btf", BTFAssembler(headerLength: headerLength).bytes())
    }

    private func headerAlone() throws -> String {
        try scratch.write("alone.btf", BTFAssembler(startsWithEmpty: false).bytes())
    }

    @Test func isRead() throws {
        var asm = BTFAssembler()
        asm.int()
        let other = try scratch.write("int.btf", asm.bytes())
        for file in [try standalone(24), try standalone(32), try headerAlone()] {
            #expect(try run("dump", file).out.isEmpty)
            #expect(try run("dump", "--json", file).text == "{\"types\":[]}\n")
            #expect(try run("dump", "--format", "c", file).text.hasPrefix("#ifndef __VMLINUX_H__"))
            #expect(try run("dump", "--layout", file).out.isEmpty)
            #expect(try run("dump", file, "0").text == "[0] UNKNOWN '(anon)'\n")
            #expect(try Command.kbtf("dump", file, "1").err.contains("no type 1; the last is 0"))
            #expect(try run("diff", file, file).status == 0)
            #expect(try Command.kbtf("diff", file, other).status == 1)
            #expect(try run("size", file).status == 0)
            #expect(try run("info", file).text.contains(" 0 "))
        }
    }

    private func run(_ words: String...) throws -> Command.Result {
        let result = try Command.kbtf(words)
        #expect(result.status == 0 && result.err.isEmpty, "\(words) \(result)")
        return result
    }

    /// Kernels take it of modules only.
    @Test func isRefusedByKernels() throws {
        let file = try standalone(24)
        #expect(try run("info", file).text.contains("standalone"))
        let check = try Command.kbtf("check", file)
        #expect(check.status == 1 && check.text.contains("No type found"), "\(check)")
        let target = try Command.kbtf("check", "--target", "6.1", file)
        #expect(target.status == 1, "\(target)")
        #expect(target.text.contains("BPF_BTF_LOAD: refused (EINVAL)"), "\(target)")

        let split = try headerAlone()
        #expect(try run("info", split).text.contains("split"))
        #expect(try run("check", split).text == "\(split): sound\n")
        let module = try run("check", "--target", "6.1", split)
        #expect(module.text.contains("module load: taken"), "\(module)")
    }
}
