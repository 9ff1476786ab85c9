// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import DWARF
import DWARFToBTF
import ELF
import TestSupport
import Testing

/// Functions whose signature clang changed (DW_CC_nocall), with the feature `true_signature`.
@Suite struct TrueSignatureTests {
    private static let features = Features.standard.union(.trueSignatures)

    /// A parameter: its type, and the DWARF number of the register that it is in, if it is in one.
    enum Place: Sendable {
        case register(UInt8)
        case nothing, constant, stack
        case later(UInt8)

        var attributes: [DWARFAttribute] {
            switch self {
            case .register(let number): [.expression([0x50 + number])]
            case .nothing: []
            case .constant: [.value(7)]
            case .stack: [.expression([0x91, 8])]
            // Known from its value on entry only.
            case .later(let number): [.expression([0xa3, 1, 0x50 + number, 0x9f])]
            }
        }
    }

    private func outcome(
        _ result: String?, _ parameters: [(String, Place)], features: Features = features,
        isChanged: Bool = true, machine: UInt16 = 62, isInlined: Bool = false
    ) throws -> Outcome {
        var asm = DWARFAssembler()
        asm.unit([.name("a.c"), .language(12)]) { unit in
            unit.int()
            unit.add(.baseType, "long", [.name("long"), .byteSize(8), .encoding(5)])
            unit.add(.baseType, "wide", [.name("__int128"), .byteSize(16), .encoding(5)])
            unit.add(.baseType, "double", [.name("double"), .byteSize(8), .encoding(4)])
            unit.add(.pointerType, "pointer", [.type("int")])
            unit.add(.typedef, "handle", [.name("handle"), .type("pointer")])
            unit.add(.typedef, "number", [.name("number"), .type("long")])
            for (name, size) in [("small", UInt64(8)), ("big", 24)] {
                unit.add(.structureType, name, [.name(name), .byteSize(size)]) { unit in
                    unit.add(.member, [.name("x"), .type("long"), .memberOffset(0)])
                }
            }
            let mark = DWARFAttribute(.callingConvention, .data1, .number(3))
            let changed = isChanged ? [mark] : []
            let returns = result.map { [DWARFAttribute.type($0)] } ?? []
            if isInlined {
                unit.add(.subprogram, "abstract", [.name("f"), .prototyped] + returns + changed) {
                    for (index, parameter) in parameters.enumerated() {
                        $0.add(
                            .formalParameter, "p\(index)",
                            [.name("p\(index)"), .type(parameter.0)])
                    }
                }
                unit.add(.subprogram, [.origin("abstract"), .lowPC(0)]) {
                    for (index, parameter) in parameters.enumerated() {
                        $0.add(
                            .formalParameter, [.origin("p\(index)")] + parameter.1.attributes)
                    }
                }
            } else {
                unit.add(
                    .subprogram, [.name("f"), .prototyped, .lowPC(0)] + returns + changed
                ) {
                    for (index, parameter) in parameters.enumerated() {
                        $0.add(
                            .formalParameter,
                            [.name("p\(index)"), .type(parameter.0)] + parameter.1.attributes)
                    }
                }
            }
        }
        return try encoded(
            asm, features: features,
            image: { image in
                image.machine = machine
                image.function("f", at: 0)
            })
    }

    /// rdi, rsi and rdx have the numbers 5, 4 and 1.
    static let proven: [(String?, [(String, Place)], String)] = [
        ("int", [("int", .register(5)), ("int", .nothing)], "(p0: int)"),
        ("int", [("int", .nothing), ("int", .register(5))], "(p1: int)"),
        (
            "int", [("int", .register(5)), ("int", .nothing), ("long", .register(4))],
            "(p0: int, p2: long)"
        ),
        ("int", [("int", .constant), ("pointer", .later(5))], "(p1: *int)"),
        ("int", [("pointer", .constant), ("handle", .register(5))], "(p1: handle)"),
        (nil, [("number", .nothing), ("int", .nothing)], "()"),
        // The result may be gone.
        ("int", [("int", .register(5))], "(p0: int)"),
        (
            "pointer", [("int", .register(5)), ("long", .register(4)), ("int", .register(1))],
            "(p0: int, p1: long, p2: int)"
        ),
    ]

    @Test(arguments: proven.indices) func whatIsProven(_ index: Int) throws {
        let (result, parameters, prototype) = Self.proven[index]
        for isInlined in [false, true] {
            let outcome = try outcome(result, parameters, isInlined: isInlined)
            #expect(outcome.line("f") == "func f: \(prototype) -> void")
            #expect(outcome.ledger.isEmpty)
            // By default it is left out.
            #expect(try self.outcome(result, parameters, features: .standard).line("f") == "")
        }
    }

    static let guesses: [(String?, [(String, Place)], String)] = [
        // Parts of what the pointer points to may be passed.
        ("int", [("pointer", .nothing), ("int", .register(5))], "optimized-parameter"),
        ("int", [("int", .register(5)), ("handle", .nothing)], "optimized-parameter"),
        ("int", [("small", .nothing), ("int", .register(5))], "optimized-parameter"),
        ("int", [("small", .constant), ("int", .register(5))], "optimized-parameter"),
        ("int", [("small", .register(5)), ("int", .register(4))], "changed-signature"),
        ("int", [("wide", .register(5))], "changed-signature"),
        ("int", [("double", .nothing), ("int", .register(5))], "optimized-parameter"),
        // Not where they would be.
        ("int", [("int", .nothing), ("int", .register(4))], "optimized-parameter"),
        ("int", [("int", .nothing), ("int", .stack)], "optimized-parameter"),
        // The result may be in memory, whose address comes first.
        ("big", [("int", .nothing), ("int", .register(4))], "optimized-parameter"),
        ("small", [("int", .register(5))], "changed-signature"),
    ]

    @Test(arguments: guesses.indices) func whatWouldBeAGuess(_ index: Int) throws {
        let (result, parameters, reason) = Self.guesses[index]
        let outcome = try outcome(result, parameters)
        #expect(outcome.line("f") == "")
        #expect(
            outcome.ledger == ["f: \(reason)"] || outcome.ledger == ["f: unexpected-register"],
            "\(outcome.ledger)")
    }

    /// Without a model of the machine's registers nothing is proven.
    @Test func machinesWithoutModel() throws {
        let outcome = try outcome("int", [("int", .register(5)), ("int", .nothing)], machine: 4)
        #expect(outcome.line("f") == "")
        #expect(outcome.ledger == ["f: optimized-parameter"])
    }

    @Test func otherFunctionsStay() throws {
        let parameters: [(String, Place)] = [("int", .register(5)), ("int", .nothing)]
        for features in [Features.standard, Self.features] {
            let outcome = try outcome("int", parameters, features: features, isChanged: false)
            #expect(outcome.line("f") == "func f: (p0: int, p1: int) -> int")
        }
    }

    static let source = """
        #define NI __attribute__((noinline))
        #define USE(x) __asm__ volatile("" :: "r"(x))
        struct s { int a, b, c; };
        static NI int last(int a, int unused) { USE(a); return a + 1; }
        static NI int first(int unused, int b) { USE(b); return b + 1; }
        static NI int middle(int a, int unused, int c) { USE(a); USE(c); return a + c; }
        static NI int pointer(int a, struct s *unused, int c) { USE(a); USE(c); return a + c; }
        static NI int value(struct s v, int k) { USE(v.a); USE(k); return v.a; }
        static NI void all(int a, int b) { __asm__ volatile("nop"); }
        int user(struct s *p, int x) {
            all(x, 1);
            return last(x, 1) + first(2, x) + middle(x, 3, x + 1) + pointer(x, p, x + 1)
                + value(*p, x);
        }
        """

    @Test(arguments: ["clang-16", "clang-19"]) func clang(_ compiler: String) throws {
        guard shell("command -v \(compiler)") else { return }
        for target in ["x86_64", "aarch64", "s390x", "riscv64"] {
            let outcome = try compiled(
                [Self.source], with: "\(compiler) -g -O2 --target=\(target)-linux-gnu",
                features: Self.features)
            var functions = outcome.lines.filter { $0.hasPrefix("func ") }
            // Elsewhere a struct's words are passed together, and nothing changes.
            if target != "x86_64" { functions.removeAll { $0.hasPrefix("func value: (v: ") } }
            #expect(
                functions == [
                    "func all: () -> void", "func first: (b: int) -> void",
                    "func last: (a: int) -> void", "func middle: (a: int, c: int) -> void",
                    "func user: (p: *struct s, x: int) -> int",
                ], "\(compiler) \(target)")
            #expect(outcome.ledger.contains { $0.hasPrefix("pointer: ") })
        }
    }
}
