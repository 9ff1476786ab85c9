// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import DWARFToBTF
import ELF
import TestSupport
import Testing

/// Units that describe no type: those compiled with -g1 do not say what functions take, those of
/// functions without a prototype do.
@Suite(.enabled(if: hasGCC || hasClang)) struct LinesOnlyTests {
    private static let compilers = (hasGCC ? ["gcc"] : []) + (hasClang ? ["clang-16"] : [])
    private static let pairs =
        compilers + (hasGCC ? ["g++ -xc++"] : [])
        + (hasClang ? ["clang++-16 -xc++"] : [])
    private static let calling = """
        #ifdef __cplusplus
        extern "C" {
        #endif
        int other(int);
        static inline int folded(int a) { return other(a) + 1; }
        int f(int x) { return folded(x) + 1; }
        int g(int x) { return other(x); }
        #ifdef __cplusplus
        }
        #endif
        """

    @Test(arguments: compilers, ["-g", "-g2", "-gdwarf-4", "-g1 -g", "-O1 -g"])
    func functionsWithoutPrototype(_ compiler: String, _ level: String) throws {
        let outcome = try compiled(
            ["void nop() { }"], with: "\(compiler) \(level)", features: .standard)
        #expect(outcome.line("nop") == "func nop: () -> void")
        #expect(outcome.ledger == [])
        let mixed = try compiled(
            ["void nop() { }", "int f(int a) { return a; }"], with: "\(compiler) \(level)",
            features: .standard)
        #expect(mixed.line("nop") == "func nop: () -> void")
        #expect(mixed.line("f") == "func f: (a: int) -> int")
        #expect(mixed.ledger == [])
    }

    /// The last option that says a level counts, in GCC's order.
    @Test(.enabled(if: hasGCC), arguments: ["-g1", "-g -g1", "-g3 -ggdb1", "-gdwarf-5 -g1"])
    func lastLevel(_ level: String) throws {
        let outcome = try compiled(
            ["void nop() { }"], with: "gcc \(level)", features: .standard)
        #expect(outcome.count == 0)
        #expect(outcome.ledger == ["0.c: line-tables-only"])
    }

    @Test(
        .enabled(if: hasGCC),
        arguments: ["-ggdb", "-g1 -ggdb", "-g1 -gdwarf-4", "-gdwarf", "-g1 -gbtf", "-g1 -gctf"])
    func raisedLevel(_ level: String) throws {
        let outcome = try compiled(
            ["void nop() { }"], with: "gcc \(level)", features: .standard)
        #expect(outcome.line("nop") == "func nop: () -> void")
    }

    /// Nothing shows the level, so nothing is written.
    @Test(.enabled(if: hasGCC)) func unknownLevel() throws {
        let outcome = try compiled(
            ["void nop() { }"], with: "gcc -g -gno-record-gcc-switches", features: .standard)
        #expect(outcome.count == 0)
        #expect(outcome.ledger == ["0.c: line-tables-only"])
    }

    /// clang describes what is called, with a prototype; C++ has no word for prototypes.
    @Test(arguments: pairs, ["-O0 -g1", "-O2 -g1", "-O2 -g1 -fno-inline"])
    func noEmptyPrototypes(_ compiler: String, _ level: String) throws {
        let outcome = try compiled(
            [Self.calling], with: "\(compiler) \(level)", features: .standard)
        #expect(outcome.count == 0, "\(outcome.lines)")
        #expect(outcome.ledger == ["0.c: line-tables-only"])
        let mixed = try compiled(
            [Self.calling, "int other(int a) { return a; }"], with: "\(compiler) -O2 -g1",
            features: .standard)
        #expect(mixed.count == 0, "\(mixed.lines)")
    }

    /// One table of abbreviations for all units.
    @Test(.enabled(if: hasClang))
    func joinedUnits() throws {
        let scratch = try Scratch()
        try scratch.write("lines.c", Self.calling)
        try scratch.write(
            "types.c",
            "__attribute__((noinline)) int other(int a) { __asm__ volatile(\"\"); return a; }"
                + " void nop() { }")
        try #require(
            shell(
                """
                cd \(scratch.path) && clang-16 -O1 -g1 -emit-llvm -c lines.c -o lines.bc \
                && clang-16 -O1 -g -c types.c -o all.o \
                   -Xclang -mlink-bitcode-file -Xclang lines.bc
                """))
        let outcome = try encoded(
            try ELFFile(path: scratch.path + "/all.o"), features: .standard)
        #expect(outcome.line("other") == "func other: (a: int) -> int")
        #expect(outcome.line("nop") == "func nop: () -> void")
        #expect(outcome.line("f") == "" && outcome.line("g") == "")
        #expect(outcome.ledger.contains("lines.c: line-tables-only"))
    }
}
