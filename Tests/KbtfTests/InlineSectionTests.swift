// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// `.BTF.inline`, which continues a module's `.BTF`, and goes where that goes.
@Suite struct InlineSectionTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Two builds of a kernel, which number their types differently.
    private static func kernel(_ build: Int) throws -> BTF {
        var asm = BTFAssembler()
        if build == 1 {
            asm.float("double", size: 8)
            asm.structure("new", size: 0, [])
        }
        let int = asm.int("int")
        asm.structure("item", size: 4, [("x", int, 0)])
        asm.structure("only_inline", size: 4, [("y", int, 0)])
        return try asm.parse()
    }

    /// 4 pointer to the kernel's item, 5 prototype, 6 function, 7 own struct.
    private static func module(on base: BTF) -> BTFAssembler {
        var asm = BTFAssembler(base: base)
        let pointer = asm.pointer(2)
        asm.function("outlined", asm.prototype(returns: 1, [("item", pointer)]))
        asm.structure("own", size: 4, [("x", 1, 0)])
        return asm
    }

    /// Sites of `outlined` and of a function that is always inlined, whose parameter is a type of
    /// the kernel that the module does not know otherwise.
    private static func sites(on module: BTF) -> BTFAssembler {
        var asm = BTFAssembler(base: module)
        let pointer = asm.pointer(3)
        let inlined = asm.function(
            "inlined", asm.prototype(returns: 7, [("it", pointer), ("item", 4)]))
        let places = asm.locations([asm.location(0x8, [5]), 0])
        let one = asm.locations([asm.location(0x38, [7, 0x18])])
        asm.sites("inline.text", [(inlined, places, 64), (6, one, 128), (6, one, 32)])
        return asm
    }

    private func file(_ name: String, _ btf: [UInt8], _ inline: [UInt8]) throws -> String {
        var image = DWARFImage()
        _ = image.text()
        image.section(
            ".modinfo", Array("license=GPL\0name=foo\0vermagic=7.4.0-test SMP \0".utf8))
        image.section(".BTF", btf)
        image.section(".BTF.inline", inline)
        return try scratch.write(name, image.bytes())
    }

    /// The sites of a module's file with the types of their functions, in order.
    private func said(_ file: String, on base: BTF) throws -> [String] {
        let module = try BTF.parse(
            ByteView(try #require(try Sample.section(".BTF", of: file))), base: base)
        let btf = try BTF.parse(
            ByteView(try #require(try Sample.section(".BTF.inline", of: file))), base: module)
        #expect(check(btf).findings == [])
        let texts = TypeTexts(btf)
        return btf.ownRecords.filter { $0.kind == .locsec }.flatMap { section in
            (0..<section.count).map { index in
                let function = TypeID(section.element(index, 0))
                let places = btf.record(TypeID(section.element(index, 1)))!
                let parameters = (0..<places.count).map { number in
                    places.element(number, 0) == 0
                        ? "-" : texts.text(TypeID(places.element(number, 0)))
                }
                return "\(section.name)+\(section.element(index, 2)) \(texts.text(function)) "
                    + parameters.joined(separator: " ")
            }
        }
    }

    private static let expected = [
        "inline.text+32 int outlined(struct item *) *(reg7 + 0x18)",
        "inline.text+64 struct own inlined(struct only_inline *, struct item *) reg5 -",
        "inline.text+128 int outlined(struct item *) *(reg7 + 0x18)",
    ]

    private func inputs() throws -> (old: String, new: String, module: BTF, file: String) {
        let old = try Self.kernel(0)
        let module = try Self.module(on: old).parse()
        return (
            try scratch.write("old.btf", old.serialized()),
            try scratch.write("new.btf", try Self.kernel(1).serialized()), module,
            try file("foo.ko", module.serialized(), Self.sites(on: module).bytes())
        )
    }

    @Test func rebased() throws {
        let (old, new, _, foo) = try inputs()
        let result = try Command.kbtf("rebase", "--from", old, "--base", new, foo)
        #expect(result.status == 0 && !result.err.contains(".BTF.inline"), "\(result)")
        let there = try said(foo, on: try Self.kernel(1))
        #expect(Set(there) == Set(Self.expected))
        // Sites of one function in order.
        let offsets = there.filter { $0.contains("outlined") }
        #expect(offsets == [Self.expected[0], Self.expected[2]])
        let dump = try Command.kbtf("dump", "--inline", "--base", new, foo)
        #expect(dump.text.contains("LOCSEC 'inline.text' vlen=3"), "\(dump)")
        #expect(dump.text.contains("value='*(reg7 + 0x18)'"), "\(dump)")
        // Twice changes nothing.
        let bytes = try Sample.bytes(foo)
        #expect(try Command.kbtf("rebase", "--base", new, foo).status == 0)
        #expect(try Sample.bytes(foo) == bytes)
    }

    @Test func distilled() throws {
        let (old, new, _, foo) = try inputs()
        let result = try Command.kbtf("distill", "--base", old, foo)
        #expect(result.status == 0 && !result.err.contains(".BTF.inline"), "\(result)")
        let small = try BTF.parse(ByteView(try #require(try Sample.section(".BTF.base", of: foo))))
        #expect(Set(try said(foo, on: small)) == Set(Self.expected))
        #expect(small.ids(named: "only_inline").count == 1)
        // And on: the kernel that loads it.
        let relocated = try Command.kbtf("rebase", "--base", new, foo)
        #expect(relocated.status == 0, "\(relocated)")
        #expect(Set(try said(foo, on: try Self.kernel(1))) == Set(Self.expected))
    }

    /// One error, nothing written.
    @Test func damaged() throws {
        let (old, new, module, _) = try inputs()
        let sound = Self.sites(on: module)
        var dangling = sound
        dangling.locations([99])
        var wrong = sound
        wrong.sites("inline.text", [(1, 2, 0)])
        for (bytes, words) in [
            (Array(sound.bytes().dropLast(40)), ".BTF.inline+0x"),
            (dangling.bytes(), "99 does not exist"), (wrong.bytes(), "Invalid func#1"),
            ([UInt8](repeating: 0, count: 64), ".BTF.inline+0x0"),
        ] {
            let foo = try file("damaged.ko", module.serialized(), bytes)
            let before = try Sample.bytes(foo)
            for command in [
                ["rebase", "--from", old, "--base", new, foo], ["distill", "--base", old, foo],
            ] {
                let result = try Command.kbtf(command)
                #expect(result.status == 1 && result.err.contains(words), "\(result)")
                #expect(
                    result.err.split(separator: "\n").filter { $0.hasPrefix("kbtf: ") }.count == 1)
                #expect(try Sample.bytes(foo) == before)
            }
        }
    }

    /// What is read of it; a kernel loads a module whose sites are damaged.
    @Test func reported() throws {
        let (old, _, module, foo) = try inputs()
        let info = try Command.kbtf("info", "-v", "--base", old, foo)
        #expect(info.status == 0 && info.err.contains(".BTF.inline: 8 types, 3 inline sites"))
        let json = try Command.kbtf("info", "--json", "--base", old, foo)
        #expect(json.text.contains(#""inline":{"types":8,"sites":3,"bytes":"#), "\(json)")
        let check = try Command.kbtf("check", "--base", old, foo)
        #expect(check.status == 0 && !check.err.contains("warning"), "\(check)")
        var dangling = Self.sites(on: module)
        dangling.locations([99])
        let bad = try file("bad.ko", module.serialized(), dangling.bytes())
        let warned = try Command.kbtf("check", "--base", old, bad)
        #expect(warned.status == 0 && warned.err.contains("99 does not exist"), "\(warned)")
        #expect(try Command.kbtf("check", "--strict", "--base", old, bad).status == 1)
    }

    /// As the kernel shows them beside each other.
    @Test func inSysfs() throws {
        let (old, _, module, _) = try inputs()
        let shown = try scratch.write("btf/foo", module.serialized())
        let none = try Command.kbtf("dump", "--inline", "--base", old, shown)
        #expect(none.status == 1 && none.err.contains("there is no \(shown).inline"), "\(none)")
        _ = try scratch.write("btf/foo.inline", Self.sites(on: module).bytes())
        let dump = try Command.kbtf("dump", "--inline", "--base", old, shown)
        #expect(dump.status == 0 && dump.text.contains("name='inlined' func_type_id="), "\(dump)")
        // Not a module's BTF, which continues the kernel's.
        let alone = try Command.kbtf("dump", "--base", old, shown + ".inline")
        #expect(alone.status == 1, "\(alone)")
    }

    /// Kernels before 7.4 refuse such kinds in the module's own BTF.
    @Test func olderKernels() throws {
        var asm = BTFAssembler()
        let int = asm.int("int")
        asm.locations([asm.location(0x8, size: 4, [5])])
        asm.structure("own", size: 4, [("x", int, 0)])
        let base = try scratch.write("new.btf", try Self.kernel(1).serialized())
        var image = DWARFImage()
        _ = image.text()
        image.section(
            ".modinfo", Array("license=GPL\0name=foo\0vermagic=7.3.0-test SMP \0".utf8))
        image.section(".BTF", asm.bytes())
        let foo = try scratch.write("foo.ko", image.bytes())
        let result = try Command.kbtf("rebase", "--base", base, foo)
        #expect(result.status == 1 && result.err.contains("Invalid kind:20"), "\(result)")
    }
}
