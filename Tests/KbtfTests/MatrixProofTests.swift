// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO
import TestSupport
import Testing

@testable import Commands

/// `kbtf matrix --prove`: predictions beside the answers of kernels, which a script gives here.
@Suite(.enabled(if: Sample.hasCompiler))
struct MatrixProofTests {
    /// A system with an image, and a kbtf-vm that prints `answer`, and for rebased modules
    /// `rebased`.
    private struct Machine {
        let system: SampleSystem
        let own: String
        let log: String

        init(_ answer: String, rebased: String = "{}", status: Int = 1) throws {
            system = try SampleSystem()
            try system.scratch.write("boot/vmlinuz-\(system.release)", "image")
            log = system.scratch("log")
            try system.scratch.write("answer", answer)
            try system.scratch.write("rebased", rebased)
            let folder = system.root
            try system.scratch.write(
                "bin/kbtf-vm",
                """
                #!/bin/sh
                echo "$*" >>'\(log)'
                case "$*" in
                *--rebase*) cat '\(folder)/rebased' ;;
                *) cat '\(folder)/answer' ;;
                esac
                exit \(status)
                """, mode: 0o755)
            own = folder + "/bin/kbtf"
        }

        func matrix(_ arguments: String...) throws -> Command.Result {
            try Command.kbtf(
                ["matrix", "--kernel", system.root] + arguments,
                environment: ["PATH=/usr/bin:/bin"],
                ownPath: own)
        }

        var boots: Int { (try? system.scratch.read("log").split(separator: "\n").count) ?? 0 }
    }

    /// A run's report with one module.
    private static func run(_ tests: String, outcome: String = "failed") -> String {
        #"{"schema":1,"runs":[{"kernel":"k","outcome":"\#(outcome)","reason":"why","tests":[\#(tests)],"evidence":["last"]}]}"#
    }

    private static func test(_ name: String, _ verdict: String, _ output: String...) -> String {
        let lines = output.map { "\"\($0)\"" }.joined(separator: ",")
        return #"{"name":"\#(name)","verdict":"\#(verdict)","output":[\#(lines)]}"#
    }

    private static let loads = run(
        test("own", "pass") + "," + test("own.btf", "pass"), outcome: "passed")

    private func rows(_ result: Command.Result) -> [Substring] {
        result.text.split(separator: "\n")
    }

    @Test func agrees() throws {
        let machine = try Machine(Self.loads, status: 0)
        let module = try machine.system.addModule("updates/own.ko")
        let result = try machine.matrix("--prove-all", module)
        #expect(result.status == 0, "\(result)")
        #expect(rows(result)[1].hasSuffix("  loads [kernel: loads]"), "\(result)")
        #expect(rows(result).last == "1 of 1 cells proved, all as predicted")
        let words = try machine.system.scratch.read("log")
        #expect(words.contains(" run --json --any-kernel --kernel \(machine.system.root)/boot/"))
        #expect(words.contains("--module=\(module)"))
        // Nothing is in doubt.
        let doubtful = try machine.matrix("--prove", module)
        #expect(doubtful.status == 0 && machine.boots == 1, "\(doubtful)")
        #expect(rows(doubtful).last == "0 of 1 cells proved")
    }

    /// One of the kernel's lines names the cause; it is shown.
    @Test func disagrees() throws {
        let line = "own: disagrees about version of symbol module_layout"
        let machine = try Machine(
            Self.run(
                Self.test(
                    "own", "fail", "# /modules/own.ko: cannot load: Invalid argument", line)))
        let module = try machine.system.addModule("updates/own.ko")
        let result = try machine.matrix("--prove-all", module)
        #expect(result.status == 1, "\(result)")
        #expect(rows(result)[1].hasSuffix("  loads [DISAGREES: refused: symbol-versions]"))
        #expect(result.text.contains("  \(line)\n"))
        #expect(rows(result).last == "1 of 1 cells proved, 1 not as predicted")
        let report = try JSONTree(
            ByteView(try machine.matrix("--json", "--prove-all", module).out))
        #expect(report["disagreements"] == .number("1"))
        let cell = try #require(report["cells"]?.array?.first)
        #expect(cell["agrees"] == .bool(false))
        #expect(cell["answer"]?["cause"]?.string == "symbol-versions")
        #expect(cell["answer"]?["verdict"]?.string == "refused")
    }

    /// What is saved by rebasing is asked twice, and is in doubt until then.
    @Test func rebased() throws {
        let refusal = "failed to validate module [own] BTF: -22"
        let refused = Self.run(
            Self.test("own", "fail", "# /modules/own.ko: cannot load: Invalid argument", refusal))
        for (answer, word) in [(Self.loads, "loads"), (refused, "refused: ")] {
            let machine = try Machine(refused, rebased: answer)
            let module = try machine.system.addModule("updates/own.ko", on: nil)
            try machine.system.kbtf("encode", "--standalone", module)
            let result = try machine.matrix("--prove", module)
            #expect(result.status == 1 && machine.boots == 2, "\(result)")
            let mark = word == "loads" ? "[kernel: refused: " : "[DISAGREES: refused: "
            #expect(rows(result)[1].contains("refused: other-base (rebase helps) \(mark)"))
            #expect(rows(result)[1].contains("; rebased: \(word)"), "\(result)")
        }
    }

    private struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let answer: String
        let text: String
        var boots = 1
    }

    private static let cases = [
        Case(
            testDescription: "the BTF was dropped",
            answer: run(test("own", "pass") + "," + test("own.btf", "fail", "BPF: Invalid name")),
            text: "loads [DISAGREES: no BTF"),
        Case(
            testDescription: "an oops", answer: run("", outcome: "oops"),
            text: "loads [DISAGREES: oops]"),
        Case(
            testDescription: "a panic before any module",
            answer: #"{"runs":[{"outcome":"panic","reason":"no timer","plan":null,"tests":[]}]}"#,
            text: "loads [not proved: panic: no timer]"),
        Case(
            testDescription: "no device for it",
            answer: run(test("own", "fail", "# /modules/own.ko: cannot load: No such device")),
            text: "loads [not proved: its init function failed: init failed: No such device]"),
        Case(
            testDescription: "no QEMU", answer: run("", outcome: "machinery"),
            text: "loads [not proved: machinery: why]"),
        Case(
            testDescription: "refused before the boot",
            answer: #"{"schema":1,"error":"own.ko: depends on module b"}"#,
            text: "loads [not proved: own.ko: depends on module b]"),
        Case(
            testDescription: "not JSON", answer: "{", text: "loads [not proved: kbtf-vm printed no"),
    ]

    @Test(arguments: cases) private func answers(_ sample: Case) throws {
        let machine = try Machine(sample.answer)
        let module = try machine.system.addModule("updates/own.ko")
        let result = try machine.matrix("--prove-all", module)
        #expect(result.status == 1 && machine.boots == sample.boots, "\(result)")
        #expect(rows(result)[1].contains("  " + sample.text), "\(result)")
    }

    /// Two share a guest; the one without an answer gets its own.
    @Test func alone() throws {
        let machine = try Machine(Self.loads)
        let one = try machine.system.addModule("updates/own.ko")
        let two = try machine.system.addModule("updates/two.ko")
        let result = try machine.matrix("--prove-all", one, two)
        #expect(machine.boots == 2 && result.status == 1, "\(result)")
        let log = try machine.system.scratch.read("log").split(separator: "\n")
        #expect(log[0].contains("--module=\(one) --module=\(two)"))
        #expect(!log[1].contains(one) && log[1].contains("--module=\(two)"))
    }

    /// A kernel that does not boot is asked once.
    @Test func noBoot() throws {
        let machine = try Machine(Self.run("", outcome: "no boot"))
        let one = try machine.system.addModule("updates/own.ko")
        let two = try machine.system.addModule("updates/two.ko")
        let result = try machine.matrix("--prove-all", one, two)
        #expect(machine.boots == 1 && result.status == 1, "\(result)")
        #expect(rows(result)[2].contains("[not proved: no boot: why]"), "\(result)")
    }

    @Test func failures() throws {
        let machine = try Machine(Self.loads, status: 69)
        let module = try machine.system.addModule("updates/own.ko")
        #expect(try machine.matrix("--prove-all", module).status == 69)
        let without = try Command.kbtf(
            ["matrix", "--prove", "--kernel", machine.system.root, module], ownPath: "/nowhere/kbtf"
        )
        #expect(without.status == 1 && without.err.hasPrefix("kbtf: kbtf-vm not found: "))
        #expect(without.out == [])
        // Raw BTF cannot be booted.
        let vmlinux = machine.system.root + "/" + machine.system.folder + "/build/vmlinux"
        let file = try Command.kbtf(
            ["matrix", "--prove-all", "--kernel", vmlinux, module], ownPath: machine.own)
        #expect(file.status == 1 && file.text.contains("[not proved: no image to boot]"))
    }
}
