// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import DWARFToBTF
import TestSupport
import Testing

/// GCC with -flto: types are in the units of the compiler, addresses and places of parameters in a
/// unit of the linker.
@Suite(.enabled(if: hasGCC)) struct LinkTimeTests {
    private static let perCPU = "__attribute__((section(\".data..percpu\")))"
    private static let source = """
        static __attribute__((noinline)) int scale(int k, int a)
        { __asm__ volatile("" :: "r"(a)); return a * k; }
        static \(perCPU) long pc;
        static int plain = 1; int shared = 2; extern int missing;
        int u1(int x) { pc++; return scale(7, x); }
        int u2(int x) { pc += 2; plain += x; return scale(7, x + 1) + missing; }
        long *where(void) { return &pc; }
        """

    private func linked(
        _ compiling: String, _ linking: String = "", sources: [String] = [source],
        features: Features = .standard
    ) throws -> Outcome {
        try compiled(
            sources, with: "gcc -O2 -flto \(compiling)",
            linker: "gcc -O2 -flto -r -flinker-output=nolto-rel \(linking)", features: features)
    }

    @Test(arguments: ["-gdwarf-2", "-gdwarf-3", "-gdwarf-4", "-gdwarf-5"], ["", "-g"])
    func likeWithout(_ compiling: String, _ linking: String) throws {
        let plain = try compiled([Self.source], with: "gcc -O2 \(compiling)", features: .standard)
        let outcome = try linked(compiling, linking)
        #expect(outcome.line("pc") == "var pc: long int")
        #expect(outcome.line("scale") == "")
        #expect(outcome.ledger == ["scale: reordered-parameters"])
        #expect(outcome.ledger == plain.ledger)
        #expect(Set(outcome.lines) == Set(plain.lines))
    }

    /// The linker's unit describes no parameters.
    @Test func linesOnlyFromLinker() throws {
        let outcome = try linked("-g", "-g1")
        #expect(outcome.line("pc") == "var pc: long int")
        #expect(outcome.line("u1") == "func u1: (x: int) -> int")
        #expect(outcome.line("scale") == "")
        #expect(
            Set(outcome.ledger) == [
                "scale: optimized-parameter", "<artificial>: line-tables-only",
            ])
    }

    /// Its units name the functions, and only the linker's has their parameters, without names.
    @Test func linesOnlyFromCompiler() throws {
        let outcome = try linked("-g1", "-g")
        #expect(outcome.count(.func) == 0)
        #expect(outcome.ledger.contains("0.c: line-tables-only"))
    }

    @Test func globalVariables() throws {
        let plain = try compiled(
            [Self.source], with: "gcc -O2 -g", features: [.variables, .globalVariables])
        let outcome = try linked("-g", features: [.variables, .globalVariables])
        #expect(outcome.line("plain") == "var plain: int")
        #expect(outcome.line("shared") == "var shared global: int")
        #expect(outcome.line("pc") == "var pc: long int")
        #expect(outcome.ledger == plain.ledger)
        #expect(Set(outcome.lines) == Set(plain.lines))
    }

    /// Their symbols are called `twin.lto_priv.0` and `twin.lto_priv.1`.
    @Test func staticsWithOneName() throws {
        func source(_ function: String, _ type: String) -> String {
            "static \(Self.perCPU) \(type) twin; \(type) *\(function)(void) { twin++; return &twin; }"
        }
        let outcome = try linked("-g", sources: [source("one", "long"), source("two", "int")])
        let twins = outcome.line("twin").split(separator: "|").map { $0.split(separator: " ") }
        #expect(
            Set(twins) == [
                ["var", "twin:", "long", "int"], ["var", "twin:", "int"],
            ])
        #expect(outcome.line(".data..percpu").split(separator: "twin @").count == 3)
        #expect(outcome.ledger == [])
    }
}
