// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF
import TestSupport
import Testing

@testable import Attaching

/// What files show of a kernel or module.
@Suite struct FactsTests {
    @Test func systemMap() throws {
        let facts = ImageFacts(
            map: ByteView(
                Array(
                    """
                    ffffffff81000000 T _stext
                    ffffffff81000100 t twice
                    ffffffff81000080 t twice
                    ffffffff81000200 D data
                    ffffffff81001000 T _etext
                    not a line
                    ffffffff82000000 t after_boot
                    """.utf8)))
        let symbols = try #require(facts.symbols)
        #expect(symbols["twice"]?.address == 0xffff_ffff_8100_0080)
        #expect(symbols["twice"]?.functions == 2 && symbols["data"]?.functions == 0)
        #expect(symbols["not"] == nil)
        #expect(facts.isText(0xffff_ffff_8100_0100) && !facts.isText(0xffff_ffff_8200_0000))
        // It does not show what ftrace knows.
        #expect(facts.isTraceable(0xffff_ffff_8100_0100) == nil)
    }

    /// The one that Debian installs names another package.
    @Test func stub() {
        let facts = ImageFacts(
            map: ByteView(
                Array(
                    "ffffffffffffffff B The real System.map is in the linux-image-dbg package".utf8)
            ))
        #expect(facts.symbols == nil)
    }

    /// A symbol without a call of ftrace does not have its neighbour's.
    @Test func neighbours() {
        var facts = ImageFacts()
        facts.symbols = SymbolAddresses(
            [
                .init("one", 0x1000, isFunction: true), .init("two", 0x1040, isFunction: true),
                .init("three", 0x1080, isFunction: true),
            ], firstCounts: false)
        facts.fentries = [0x1004, 0x1084]
        #expect(facts.isTraceable(0x1000) == true)
        #expect(facts.isTraceable(0x1040) == false)
        #expect(facts.isTraceable(0x1080) == true)
    }

    /// Sections of a module have no addresses of their own; what `.init` has is freed.
    @Test(.enabled(if: shell("gcc --version"))) func module() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/m.ko"
        let source = try scratch.write(
            "m.s",
            """
            .section .text,"ax"
            .type plain, @function
            plain: nop
            .size plain, .-plain
            .type quiet, @function
            quiet: nop
            .size quiet, .-quiet
            .section .init.text,"ax"
            .type early, @function
            early: nop
            .section .text.cold,"ax"
            .type rare, @function
            rare: nop
            .section __mcount_loc,"a"
            .quad plain, early, rare

            """)
        try #require(shell("gcc -c -o '\(path)' '\(source)'"))
        let facts = try ImageFacts(module: ELFFile(path: path, separation: .all))
        let symbols = try #require(facts.symbols)
        #expect(symbols["early"] == nil)
        let places = try ["plain", "quiet", "rare"].map { try #require(symbols[$0]).address }
        #expect(places.map { facts.isTraceable($0) } == [true, false, true])
        #expect(places.allSatisfy(facts.isText))
    }
}
