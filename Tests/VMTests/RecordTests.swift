// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO
import Testing

@testable import VM

/// What is made of a whole run. The logs are of Debian's 6.1 in QEMU, with selftests/vm/faults.
@Suite struct RecordTests {
    private func judge(
        _ log: String, cut: GuestRecord.Cut? = nil, ending: ChildProcess.Ending = .exited(0),
        hasOwnInit: Bool = true, complaint: String = "", allowed: [String] = []
    ) -> GuestReport {
        var record = GuestRecord(hasOwnInit: hasOwnInit, allowedWarnings: allowed)
        var reader = ConsoleReader()
        record.log = Array(log.utf8)
        reader.take(log.utf8) { record.take($0) }
        reader.finish { record.take($0) }
        record.takeComplaint(Array(complaint.utf8))
        return record.report(cut: cut, ending: ending, milliseconds: 1234, acceleration: .tcg)
    }

    private func recorded(_ name: String) throws -> String {
        let here = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        return String(
            decoding: try FileReader.map("/\(here)/Data/\(name).log").array, as: UTF8.self)
    }

    private static let fine =
        """
        [ 1.0] kbtf: KTAP version 1
        [ 1.0] kbtf: # 6.1.0 x86_64
        [ 1.0] kbtf: 1..2
        [ 1.0] kbtf: # module foo
        [ 1.0] kbtf: ok 1 foo
        [ 1.0] kbtf: # test bar
        [ 1.0] kbtf:   KTAP version 1
        [ 1.0] kbtf:   1..1
        [ 1.0] kbtf:   ok 1 inner
        [ 1.0] kbtf: ok 2 bar
        [ 1.0] kbtf: # Totals: pass:2 fail:0 xfail:0 xpass:0 skip:0 error:0
        [ 1.0] kbtf: # end
        [ 1.0] reboot: Power down

        """

    @Test func aFineRun() {
        let report = judge(RecordTests.fine)
        #expect(report.outcome == .passed)
        #expect(report.reason == "")
        #expect(report.tests?.results.map { $0.name } == ["foo", "bar"])
        #expect(report.troubles.isEmpty)
        #expect(report.tests?.output == [])
    }

    /// A kernel that cannot switch its machine off stays, and QEMU with it until it is killed.
    @Test func aHaltedMachine() {
        let halted = "reboot: Power off not available: System halted instead"
        let log = RecordTests.fine.replacing("reboot: Power down", with: halted)
        #expect(judge(log, cut: .halted, ending: .signalled(9)).outcome == .passed)
        // Nothing else makes a killed QEMU a good end.
        #expect(judge(log, ending: .signalled(9)).outcome == .machinery)
        let early = log.replacing("kbtf: # end", with: "kbtf: # more")
        #expect(judge(early, cut: .halted, ending: .signalled(9)).outcome == .earlyPowerOff)
        var record = GuestRecord(hasOwnInit: true)
        var reader = ConsoleReader()
        reader.take(RecordTests.fine.utf8) { record.take($0) }
        #expect(!record.isHalted)
        reader.take("[ 2.0] \(halted)\n".utf8) { record.take($0) }
        #expect(record.isHalted)
    }

    @Test(arguments: [
        (
            "panic", Trouble.Kind.panic,
            "Kernel panic - not syncing: kbtf_fault: as asked, during module kbtf_fault"
        ),
        (
            "oops", .oops,
            "BUG: kernel NULL pointer dereference, address: 0000000000000008, during module kbtf_fault"
        ),
        (
            "warn", .warning,
            "WARNING: CPU: 1 PID: 87 at /src/kbtf_fault.c:24 kbtf_fault_init+0x6d/0x1000 [kbtf_fault], during module kbtf_fault"
        ),
        ("bug", .bug, "kernel BUG at /src/kbtf_fault.c:26!, during module kbtf_fault"),
    ])
    func recordedFaults(_ name: String, _ kind: Trouble.Kind, _ reason: String) throws {
        let report = judge(try recorded(name))
        #expect(report.outcome == .trouble(kind))
        #expect(report.reason == reason)
        // An oops and the panic that follows from it, by oops=panic.
        #expect(
            report.troubles.map { $0.kind }
                == (kind == .oops || kind == .bug ? [kind, .panic] : [kind]))
        #expect(report.evidence.count > 10)
        #expect(report.evidence.count <= GuestRecord.shownLines)
        #expect(report.evidence.contains { $0.contains("kbtf_fault_init+") })
    }

    /// The report begins where the kernel begins it, and ends there too.
    @Test func theReportOfAWarning() throws {
        var log = try recorded("warn")
        // Short enough to be kept whole.
        log = log.split(separator: "\n").filter { !$0.contains("] R") && !$0.contains("]  ? ") }
            .joined(separator: "\n")
        let report = judge(log)
        #expect(report.evidence.first?.hasSuffix("------------[ cut here ]------------") == true)
        #expect(report.evidence.dropFirst().first?.hasSuffix("kbtf_fault: as asked") == true)
        #expect(report.evidence.last?.contains("---[ end trace ") == true)
        // It went on, and its tests passed: a warning is a failure nevertheless.
        #expect(report.tests?.hasPassed == true)
    }

    /// One that is expected fails nothing, by its own text or by its place; any other does.
    @Test func expectedWarnings() throws {
        let log = try recorded("warn")
        for text in ["kbtf_fault: as asked", "kbtf_fault.c:24"] {
            let report = judge(log, allowed: ["something else", text])
            #expect(report.outcome == .passed)
            #expect(report.troubles.isEmpty)
            #expect(report.allowed.map { $0.kind } == [.warning])
            #expect(report.allowedCount == 1)
            #expect(report.allowed.first?.during == "module kbtf_fault")
        }
        // The trace that follows is no text of the warning.
        let other = judge(log, allowed: ["do_one_initcall", "as expected"])
        #expect(other.outcome == .trouble(.warning))
        #expect(other.allowedCount == 0)
        // Worse than a warning is never expected.
        let oops = judge(try recorded("oops"), allowed: ["BUG", "Oops", "kbtf_fault", "panic"])
        #expect(oops.outcome == .trouble(.oops))
        let lockdep = "[ 2.0] WARNING: possible circular locking dependency detected\n"
        #expect(
            judge(RecordTests.fine + lockdep, allowed: ["WARNING"]).outcome == .trouble(.lockdep))
    }

    /// Any number of expected ones leaves room for what is not.
    @Test func manyExpectedWarnings() {
        let many = String(repeating: "[ 2.0] WARNING: CPU: 0 at foo+0x1\n", count: 250)
        let report = judge(
            RecordTests.fine + many + "[ 2.1] WARNING: CPU: 0 at bar+0x1\n", allowed: ["foo+"])
        #expect(report.allowedCount == 250)
        #expect(report.allowed.count == GuestRecord.keptTroubles)
        #expect(report.outcome == .trouble(.warning))
        #expect(report.reason == "WARNING: CPU: 0 at bar+0x1")
    }

    @Test func hangs() {
        let start = RecordTests.fine.split(separator: "\n").prefix(6).joined(separator: "\n")
        let report = judge(start, cut: .deadline(seconds: 9), ending: .signalled(9))
        #expect(report.outcome == .hang)
        #expect(report.reason == "still running after 9 seconds, during test bar")
        #expect(report.tests?.results.count == 1)
    }

    @Test func noBoot() {
        let silent = judge("", cut: .deadline(seconds: 9), ending: .signalled(9))
        #expect(silent.outcome == .noBoot)
        #expect(silent.reason == "nothing on the console within 9 seconds")
        let early = judge("[ 0.1] Linux\n", cut: .deadline(seconds: 9), ending: .signalled(9))
        #expect(early.outcome == .noBoot)
        #expect(early.reason == "no output of the guest's init within 9 seconds")
    }

    @Test func flood() {
        let report = judge(
            RecordTests.fine + "[ 2.0] WARNING: x\n", cut: .flood(bytes: 100), ending: .signalled(9)
        )
        #expect(report.outcome == .flood)
        #expect(report.reason == "more than 100 bytes on the console")
    }

    @Test func earlyPowerOff() {
        let lines = RecordTests.fine.split(separator: "\n")
        let report = judge(lines.prefix(6).joined(separator: "\n"))
        #expect(report.outcome == .earlyPowerOff)
        #expect(report.reason == "the guest ended before its tests were done, during test bar")
        #expect(
            judge("[ 0.1] Linux\n").reason == "the guest ended before its init printed anything")
        // All results are there, and yet init did not come to its end.
        #expect(
            judge(lines.filter { !$0.contains("# end") }.joined(separator: "\n")).outcome
                == .earlyPowerOff)
    }

    @Test func failures() {
        let log = RecordTests.fine
        func with(_ old: String, _ new: String) -> GuestReport {
            judge(
                log.split(separator: "\n").map { $0.hasSuffix(old) ? "[ 1.0] kbtf: \(new)" : $0 }
                    .joined(separator: "\n"))
        }
        let failed = with("ok 2 bar", "not ok 2 bar # exit=1")
        #expect(failed.outcome == .failed)
        #expect(failed.reason == "1 of 2 failed: bar")
        #expect(with("kbtf: 1..2", "1..3").reason == "planned 3, ran 2")
        #expect(with("inner", "  not ok 1 inner").reason == "1 of 2 failed: bar")
        #expect(with("# test bar", "Bail out! no list").reason == "bail out: no list")
    }

    /// A failed point shows what the kernel said while it was at it, and what BTF that it dropped
    /// was loaded with.
    @Test func kernelsWords() {
        let report = judge(
            """
            [ 0.1] Linux version 6.1.0
            [ 1.0] kbtf: KTAP version 1
            [ 1.0] kbtf: 1..5
            [ 1.0] early words
            [ 1.0] kbtf: # module dep
            [ 1.1] dep: initialized
            [ 1.1] kbtf: # module foo
            [ 1.1][   T42] BPF: [95247] STRUCT foo
            [ 1.1] BPF: Invalid name
            [ 1.1] failed to validate module [foo] BTF: -22
            [ 1.2] kbtf: ok 1 foo
            [ 1.2] kbtf:   # /sys/kernel/btf/foo: No such file or directory
            [ 1.2] kbtf: not ok 2 foo.btf # exit=1
            [ 1.2] kbtf: # module bar
            [ 1.2] bar: version magic '6.2.0' should be '6.1.0'
            [ 1.3] kbtf:   # /modules/bar.ko: cannot load: Exec format error
            [ 1.3] kbtf: not ok 3 bar # exit=1
            [ 1.3] kbtf: # test fine
            [ 1.3] some driver
            [ 1.3] kbtf: ok 4 fine
            [ 1.3] kbtf: # test worse
            [ 1.4] kbtf+   partly
            [ 1.4] other driver
            [ 1.4] kbtf:  said
            [ 1.4] kbtf: not ok 5 worse # exit=1
            [ 1.4] late words
            [ 1.4] kbtf: # end
            [ 1.5] reboot: Power down

            """)
        #expect(report.outcome == .failed)
        #expect(
            report.tests?.results.map { $0.output } == [
                [],
                [
                    "# /sys/kernel/btf/foo: No such file or directory", "dep: initialized",
                    "BPF: [95247] STRUCT foo", "BPF: Invalid name",
                    "failed to validate module [foo] BTF: -22",
                ],
                [
                    "# /modules/bar.ko: cannot load: Exec format error",
                    "bar: version magic '6.2.0' should be '6.1.0'",
                    "-> vermagic: it was built for another kernel",
                ], [], ["partly said", "other driver"],
            ])
        let summary = Summary([.init(name: "6.1.0", report: report)])
        #expect(
            summary.ktap().contains("\n  # failed to validate module [foo] BTF: -22\n  not ok 2 "))
        let json = String(decoding: summary.json, as: UTF8.self)
        #expect(json.contains(#""failed to validate module [foo] BTF: -22"]"#))
        #expect(summary.junit.contains("BPF: Invalid name\nfailed to validate"))
        #expect(!summary.ktap().contains("some driver"))
    }

    /// The last ones of many.
    @Test func manyOfTheKernelsWords() {
        let words = (0..<1000).map { "[ 1.0] word \($0)\n" }.joined()
        let report = judge(
            "[ 1.0] kbtf: KTAP version 1\n[ 1.0] kbtf: 1..1\n[ 1.0] kbtf: # test a\n\(words)"
                + "[ 1.0] kbtf: not ok 1 a\n[ 1.0] kbtf: # end\n")
        let shown = report.tests?.results.first?.output ?? []
        #expect(shown.count == GuestRecord.shownLines && shown.last == "word 999")
    }

    /// Only what the processor may have to do with.
    @Test func acceleration() {
        var report = judge("", ending: .exited(1))
        #expect(!report.mayBeAcceleration)
        report.acceleration = .kvm
        for (outcome, may) in [
            (Outcome.machinery, true), (.noBoot, true), (.hang, true), (.passed, false),
            (.failed, false), (.trouble(.panic), false), (.flood, false),
        ] {
            report.outcome = outcome
            #expect(report.mayBeAcceleration == may, "\(outcome)")
        }
        let unable = GuestReport(VMError("no QEMU", isMachinery: true), acceleration: .kvm)
        #expect(unable.outcome == .machinery && unable.reason == "no QEMU")
    }

    @Test func machinery() {
        let report = judge(
            "", ending: .exited(1),
            complaint: "qemu-system-x86_64: cannot set up guest memory\nmore\n")
        #expect(report.outcome == .machinery)
        #expect(
            report.reason
                == "QEMU ended with status 1: qemu-system-x86_64: cannot set up guest memory")
        #expect(judge("", ending: .signalled(6)).reason == "QEMU was killed by signal 6")
    }

    /// With an initramfs that is not ours, KTAP is what comes on the console, kernel's words
    /// between.
    @Test func anotherInit() {
        let log =
            "[ 0.1] Linux\nKTAP version 1\n1..1\n[ 0.2] some driver\nok 1 theirs\n[ 0.3] reboot: Power down\n"
        let report = judge(log, hasOwnInit: false)
        #expect(report.outcome == .passed)
        #expect(report.tests?.results.map { $0.name } == ["theirs"])
        #expect(judge("[ 0.1] Linux\n", hasOwnInit: false).reason == "the guest ended without KTAP")
        #expect(
            judge(
                "[ 0.1] Linux\n", cut: .deadline(seconds: 3), ending: .signalled(9),
                hasOwnInit: false
            )
            .outcome == .hang)
    }

    /// A kernel that goes on complaining is cut off.
    @Test func manyTroubles() {
        let report = judge(String(repeating: "[ 1.0] WARNING: x\n", count: 10_000))
        #expect(report.troubles.count == GuestRecord.keptTroubles)
        #expect(report.outcome == .trouble(.warning))
    }
}
