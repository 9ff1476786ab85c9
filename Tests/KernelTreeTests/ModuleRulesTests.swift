// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF
import HostIO
import TestSupport
import Testing

@testable import KernelTree

/// What kernels compare modules with, from their images.
@Suite struct ModuleRulesTests {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func build(_ name: String, _ source: String, _ link: String) throws -> String {
        let file = try scratch.write(name + ".s", source)
        _ = try Shell.run(
            "cd '\(scratch.path)' && as -o '\(name).o' '\(file)' && ld -e 0 \(link) -o '\(name)' '\(name).o'"
        )
        return scratch(name)
    }

    /// A kernel that exports two symbols, by offsets or by addresses.
    private func vmlinux(relative: Bool = true, _ text: String = "") throws -> String {
        func entry(_ name: String) -> String {
            relative
                ? ".long 0\n.long \(name) - .\n.long 0\n" : ".quad 0, \(name), 0\n"
        }
        return try build(
            "vmlinux",
            """
            .section __ksymtab_strings, "a"
            one: .asciz "one"
            two: .asciz "two"
            .section __ksymtab, "a"
            \(entry("two"))
            .section __ksymtab_gpl, "a"
            \(entry("one"))
            .section __kcrctab, "a"
            .long 0x22222222
            .section __kcrctab_gpl, "a"
            .long 0x11111111
            .section .rodata, "a"
            .asciz "Linux version 6.12.7-test (gcc)"
            .asciz "6.12.7-test SMP mod_unload modversions "
            \(text)
            """, "")
    }

    /// A module that needs symbols with these checksums.
    private func module(
        _ needs: [(String, UInt32)], vermagic: String, extended: Bool = false
    ) throws -> (ELFFile, Modinfo) {
        var source = ".section .modinfo, \"a\"\n.asciz \"vermagic=\(vermagic)\"\n"
        if !needs.isEmpty {
            source += ".section __versions, \"a\"\n"
            for (name, checksum) in needs {
                source += ".quad \(extended ? 0 : checksum)\n.ascii \"\(name)\"\n"
                source += ".zero \(56 - name.utf8.count)\n"
            }
        }
        if extended {
            source += ".section __version_ext_crcs, \"a\"\n"
            source += needs.map { ".long \($0.1)\n" }.joined()
            source += ".section __version_ext_names, \"a\"\n"
            source += needs.map { ".asciz \"\($0.0)\"\n" }.joined()
        }
        let file = try ELFFile(path: try build("module", source, "-r"))
        return (file, try #require(Modinfo(file)))
    }

    private static let own = "6.12.7-test SMP mod_unload modversions "

    @Test(arguments: [true, false]) func image(_ relative: Bool) throws {
        let path = try vmlinux(relative: relative)
        let rules = ModuleRules(
            KernelRelease("6.12.7-test"), modules: nil, headers: nil, image: path)
        #expect(rules.vermagic == Vermagic(Self.own))
        let (fits, info) = try module(
            [("one", 0x1111_1111), ("other_modules", 3)],
            vermagic: "6.12.6-test SMP mod_unload modversions ")
        #expect(rules.refusal(of: fits, info) == nil)
        #expect(rules.unknowns(of: fits, info) == [])
        for extended in [false, true] {
            let (differs, info) = try module(
                [("one", 0x1111_1111), ("two", 2), ("three", 3)],
                vermagic: "6.12.6-test SMP mod_unload modversions ", extended: extended)
            let refusal = rules.refusal(of: differs, info)
            #expect(refusal?.description == "the checksum of two is not that in \(path)")
        }
    }

    private struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String { "\(vermagic), \(versions), \(kernel ?? "unknown")" }
        let vermagic: String
        let versions: Bool
        let kernel: String?
        let refusal: String?
    }

    private static let cases = [
        Case(vermagic: own, versions: false, kernel: own, refusal: nil),
        Case(
            vermagic: "6.12.6 SMP mod_unload modversions ", versions: false, kernel: own,
            refusal:
                "its vermagic is '6.12.6 SMP mod_unload modversions ', that of the kernel's modules '\(own)'"
        ),
        Case(
            vermagic: "6.12.6 SMP mod_unload modversions ", versions: true, kernel: own,
            refusal: nil),
        Case(
            vermagic: "6.12.6 SMP preempt mod_unload modversions ", versions: true, kernel: own,
            refusal:
                "its vermagic is '6.12.6 SMP preempt mod_unload modversions ', that of the kernel's modules '\(own)'"
        ),
        Case(
            vermagic: "6.12.6 SMP ", versions: false, kernel: nil,
            refusal: "its vermagic says 6.12.6"),
        Case(vermagic: "6.12.6 SMP ", versions: true, kernel: nil, refusal: nil),
        Case(
            vermagic: "", versions: true, kernel: own,
            refusal: "its vermagic is '', that of the kernel's modules '\(own)'"),
    ]

    @Test(arguments: cases) private func vermagic(_ sample: Case) throws {
        let (file, info) = try module(
            sample.versions ? [("unheard_of", 1)] : [], vermagic: sample.vermagic)
        let image = try sample.kernel.map { _ in try vmlinux() }
        let rules = ModuleRules(
            KernelRelease("6.12.7-test"), modules: nil, headers: nil, image: image)
        #expect(rules.refusal(of: file, info)?.description == sample.refusal)
        #expect(rules.unknowns(of: file, info).isEmpty == (sample.kernel != nil))
    }

    /// Damaged tables are no tables, and no reason to stop.
    @Test func damage() throws {
        let path = try vmlinux()
        let whole = try FileReader.map(path).array
        var random = SeededRandom(seed: 7)
        for _ in 0..<300 {
            var bytes = whole
            for _ in 0..<4 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            let view = ByteView(bytes)
            _ = SymbolVersions.inKernel(view, "damaged")
            _ = Vermagic.inKernel(view, KernelRelease("6.12.7-test")!)
        }
        for count in stride(from: 0, to: whole.count, by: 97) {
            _ = SymbolVersions.inKernel(ByteView(Array(whole[..<count])), "short")
        }
    }

    /// Text that only begins like a vermagic is not one.
    @Test func banners() throws {
        let view = try FileReader.map(
            try vmlinux(".asciz \"x6.12.7-test SMP wrong\"\n"))
        #expect(
            Vermagic.inKernel(view, KernelRelease("6.12.7-test")!)?.description == Self.own)
        #expect(Vermagic.inKernel(view, KernelRelease("6.12.7")!) == nil)
    }
}
