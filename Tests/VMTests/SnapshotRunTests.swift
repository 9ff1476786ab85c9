// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
import TestSupport
import Testing

@testable import VM

/// Guests that start from saved machines, with a script in the place of QEMU: what runs how often,
/// and what is kept, whatever goes wrong.
@Suite struct SnapshotRunTests {
    /// Speaks as QEMU and its guest do. FAULT is what goes wrong, LOG gets a word for each start.
    private static let qemu = #"""
        #!/bin/bash
        result() {
            printf 'kbtf: KTAP version 1\nkbtf: 1..1\nkbtf: ok 1 foo\nkbtf: # end\n'
            exit 0
        }
        answer() { # DESCRIPTOR: until a migration is asked for, which is in $line then
            echo '{"QMP": {"version": {}}}' >&"$1"
            while read -r line <&"$1"; do
                [[ $line != *refused* && "$FAULT" != refused ]] || {
                    echo '{"error": {"class": "GenericError", "desc": "not here"}}' >&"$1"
                    exec sleep 1000
                }
                echo '{"return": {}}' >&"$1"
                [[ $line != *'"migrate'*'"uri"'* ]] || return
            done
        }
        case " $* " in
        *" -incoming defer "*)
            echo "on $(head -c 1 /proc/self/fd/5 | od -An -tu1 | tr -d ' ')" >>"$LOG"
            case $FAULT in
            damaged) echo "load of migration failed" >&2; exit 1 ;;
            mute) exit 0 ;;
            slow) echo silent >>"$LOG"; exec sleep 1000 ;;
            esac
            answer 7
            cat /proc/self/fd/6 >>"$LOG"
            result
            ;;
        *" -incoming "*) exit 2 ;;
        *ivshmem*)
            echo save >>"$LOG"
            echo "Linux version 6.1"
            case $FAULT in
            taint) echo 'kbtf: # waits, taint 512'; exec sleep 1000 ;;
            warning) echo 'WARNING: CPU: 0 PID: 1 at kernel/foo.c:1 foo+0x1/0x2'; exec sleep 1000 ;;
            deaf) printf 'kbtf: # cannot map it: Operation not permitted\nkbtf: KTAP version 1\n'; exec sleep 1000 ;;
            absent) echo "ivshmem-plain: not a valid device" >&2; exit 1 ;;
            hungry) kill -9 $$ ;;
            slow) echo 'Booting'; echo silent >>"$LOG"; exec sleep 1000 ;;
            early) echo 'reboot: Power down'; exit 0 ;;
            esac
            echo 'kbtf: # waits, taint 0'
            echo 'tsc: one more line'
            answer 6
            [ "$FAULT" != failed ] || { echo '{"event": "MIGRATION", "data": {"status": "failed"}}' >&6; exec sleep 1000; }
            path=${line#*>\'}
            printf 'devices\n' >"${path%%\'*}"
            echo '{"event": "MIGRATION", "data": {"status": "active"}}' >&6
            echo '{"event": "MIGRATION", "data": {"status": "completed"}}' >&6
            read -r line <&6
            [[ $line = *quit* ]] || exit 3
            ;;
        *)
            echo boot >>"$LOG"
            echo "Linux version 6.1"
            result
            ;;
        esac
        """#

    private final class Setup {
        let scratch: Scratch
        let store: SnapshotStore
        init() throws {
            scratch = try Scratch()
            try scratch.write("bin/qemu-system-x86_64", SnapshotRunTests.qemu, mode: 0o755)
            try scratch.write("kernel", "image")
            store = SnapshotStore(folder: scratch("snapshots"))
        }

        /// - Returns: the report, and what was started.
        func run(
            _ fault: String = "", memory: Int = 64, boot: String = "1",
            limits: GuestLimits = GuestLimits(), watch: (ConsoleEvent) -> Void = { _ in }
        ) throws -> (GuestReport, [String]) {
            try? AtomicFile.remove(scratch("log"))
            let launcher = ChildProcess.Launcher(
                leash: ["/bin/sh", "-c", #"shift; exec "$@""#, "leash"],
                environment: [
                    "PATH=\(scratch("bin")):/usr/bin:/bin", "FAULT=\(fault)",
                    "LOG=\(scratch("log"))",
                ])
            let initramfs = try Initramfs(
                initProgram: ByteView([1]), modules: try ModuleSet([], folder: nil, for: .x86),
                tests: nil)
            let run = GuestRun(
                machine: Machine(.x86, acceleration: .tcg, memory: memory),
                kernel: scratch("kernel"), initramfs: initramfs.chunks, limits: limits,
                launcher: launcher)
            let (snapshot, note) = try SnapshotRun.make(
                run, store: store, initramfs: initramfs, qemu: scratch("bin/qemu-system-x86_64"),
                boot: boot, timeOfDay: { 0 })
            #expect(note == nil)
            // Time stands still until a guest is silent, and its lines are read.
            var looks = 0
            let report = try #require(snapshot).run(
                now: {
                    if looks > 0 || (try? scratch.read("log").contains("silent")) == true {
                        looks += 1
                    }
                    return looks > 3 ? 10_000_000 : 0
                }, watch: watch)
            let log = (try? scratch.read("log")) ?? ""
            return (report, log.split(separator: "\n").map(String.init))
        }

        /// The only snapshot's directory.
        var folder: String {
            let names = (try? Directory.list(scratch("snapshots"))) ?? []
            return scratch("snapshots/") + (names.first { $0 != "lock" } ?? "none")
        }
    }

    private func text(_ report: GuestReport) -> String {
        String(decoding: report.log, as: UTF8.self)
    }

    @Test func savedOnceAndUsed() throws {
        let setup = try Setup()
        let (first, starts) = try setup.run()
        #expect(starts == ["save", "on 1", "devices"])
        #expect(first.outcome == .passed && first.start == .snapshot)
        let (second, more) = try setup.run()
        #expect(more == ["on 1", "devices"])
        #expect(second.outcome == .passed && second.start == .snapshot)
        // The console is that of a guest that booted.
        #expect(
            text(second)
                == "Linux version 6.1\ntsc: one more line\nkbtf: KTAP version 1\nkbtf: 1..1\n"
                + "kbtf: ok 1 foo\nkbtf: # end\n")
        #expect(first.log == second.log)
        let status = FileStatus(setup.folder)
        #expect(status.mode == 0o700)
        #expect(FileStatus(setup.folder + "/memory").size == 64 << 20)
    }

    @Test func notForAnother() throws {
        let setup = try Setup()
        _ = try setup.run()
        #expect(try setup.run(memory: 65).1 == ["save", "on 1", "devices"])
        #expect(try setup.run(boot: "2").1 == ["save", "on 1", "devices"])
        try setup.scratch.write("kernel", "imagf")
        #expect(try setup.run().1 == ["save", "on 1", "devices"])
        try setup.scratch.write("bin/qemu-system-x86_64", SnapshotRunTests.qemu + "\n", mode: 0o755)
        #expect(try setup.run().1 == ["save", "on 1", "devices"])
        #expect(try setup.run().1 == ["on 1", "devices"])
    }

    /// What is changed in any file of a snapshot makes it be saved again.
    @Test(arguments: ["memory", "devices", "log", "contents"])
    func changed(_ name: String) throws {
        let setup = try Setup()
        _ = try setup.run()
        let path = setup.folder + "/" + name
        path.withSystemText {
            let fd = open($0, O_WRONLY)
            #expect(pwrite(fd, "x", 1, 3) == 1)
            close(fd)
        }
        let (report, starts) = try setup.run()
        #expect(starts == ["save", "on 1", "devices"])
        #expect(report.outcome == .passed)
        #expect(try setup.run().1 == ["on 1", "devices"])
    }

    @Test(arguments: ["memory", "devices", "log", "contents"])
    func absent(_ name: String) throws {
        let setup = try Setup()
        _ = try setup.run()
        try AtomicFile.remove(setup.folder + "/" + name)
        #expect(try setup.run().1 == ["save", "on 1", "devices"])
    }

    @Test(arguments: ["memory", "contents"])
    func writableByOthers(_ name: String) throws {
        let setup = try Setup()
        _ = try setup.run()
        (setup.folder + "/" + name).withSystemText { _ = chmod($0, 0o622) }
        #expect(try setup.run().1 == ["save", "on 1", "devices"])
    }

    /// One that does not start is saved again, once; after that such guests boot.
    @Test(arguments: ["damaged", "mute"])
    func doesNotStart(_ fault: String) throws {
        let setup = try Setup()
        _ = try setup.run()
        let (report, starts) = try setup.run(fault)
        #expect(starts == ["on 1", "save", "on 1", "boot"])
        #expect(report.outcome == .passed)
        #expect(report.start == .boot(note: SnapshotRun.failure))
        #expect(try setup.run(fault).1 == ["boot"])
        #expect(try Directory.list(setup.folder) == ["refusal"])
    }

    /// A machine that must not be saved, or cannot: the guest boots, and so does the next one.
    @Test(arguments: [
        ("taint", "the kernel was tainted after its boot (512)"),
        ("warning", "the kernel complained: WARNING: CPU: 0 PID: 1 at kernel/foo.c:1 foo+0x1/0x2"),
        ("deaf", "cannot map it: Operation not permitted"),
        (
            "absent",
            "the machine ended before it was saved: QEMU ended with status 1: ivshmem-plain: not a valid device"
        ),
        (
            "early",
            "the machine ended before it was saved: the guest ended before its init printed anything"
        ),
        ("refused", "QEMU: not here"),
        ("failed", "QEMU cannot save it"),
    ])
    func notSaved(_ fault: String, _ reason: String) throws {
        let setup = try Setup()
        let (report, starts) = try setup.run(fault)
        #expect(starts == ["save", "boot"])
        #expect(report.outcome == .passed)
        #expect(report.start == .boot(note: reason))
        let (next, more) = try setup.run(fault)
        #expect(more == ["boot"])
        #expect(next.start == .boot(note: reason))
        // Not even the memory.
        #expect(try Directory.list(setup.folder) == ["refusal"])
    }

    /// A machine that says nothing in time is saved again by the next guest; this one boots.
    @Test func tooSlow() throws {
        let setup = try Setup()
        _ = try setup.run()
        let (report, starts) = try setup.run("slow", limits: GuestLimits(total: 1_000_000))
        #expect(starts == ["on 1", "silent", "boot"])
        #expect(report.outcome == .passed)
        #expect(
            report.start == .boot(note: "the saved machine's init printed nothing in time"))
        #expect(try setup.run().1 == ["save", "on 1", "devices"])
    }

    /// One that does not boot in time is not booted twice, and its console is shown.
    @Test func doesNotBoot() throws {
        let setup = try Setup()
        var lines: [String] = []
        let limits = GuestLimits(total: 1_000_000)
        let (report, starts) = try setup.run("slow", limits: limits) { event in
            if case .line(let line) = event { lines.append(line) }
        }
        #expect(starts == ["save", "silent"])
        #expect(report.outcome == .noBoot)
        #expect(report.reason == "no output of the guest's init within 120 seconds")
        #expect(lines == ["Linux version 6.1", "Booting"])
        #expect(try Directory.list(setup.scratch("snapshots")) == ["lock"])
    }

    /// Its total time ends while a machine goes on: that is not the machine's fault.
    @Test func outOfTime() throws {
        let setup = try Setup()
        _ = try setup.run()
        let (report, starts) = try setup.run("slow")
        #expect(starts == ["on 1", "silent"])
        #expect(report.outcome == .noBoot)
        #expect(try setup.run().1 == ["on 1", "devices"])
    }

    /// The host's fault is not remembered.
    @Test func killed() throws {
        let setup = try Setup()
        let (report, starts) = try setup.run("hungry")
        #expect(starts == ["save", "boot"])
        #expect(report.outcome == .passed)
        #expect(try setup.run().1 == ["save", "on 1", "devices"])
    }

    /// Whoever finds the lock taken boots, and changes nothing.
    @Test func savedByAnother() throws {
        let setup = try Setup()
        _ = try setup.run(boot: "2")
        let key = try #require(
            UInt64(setup.folder.split(separator: "/").last ?? "", radix: 16))
        try AtomicFolder.remove(setup.folder)
        guard let lock = FileLock(setup.scratch("snapshots/lock"), number: key) else {
            Issue.record("no lock")
            return
        }
        let (report, starts) = try setup.run(boot: "2")
        #expect(starts == ["boot"])
        #expect(report.start == .boot(note: "another process is saving it"))
        #expect(try Directory.list(setup.scratch("snapshots")) == ["lock"])
        withExtendedLifetime(lock) {}
    }

    @Test func notHere() throws {
        let initramfs = try Initramfs(
            initProgram: ByteView([1]), modules: try ModuleSet([], folder: nil, for: .x86),
            tests: nil)
        for (architecture, boot) in [(Architecture.s390x, "1"), (.x86, nil)] {
            let run = GuestRun(
                machine: Machine(architecture, acceleration: .tcg), kernel: "/dev/null",
                initramfs: initramfs.chunks,
                launcher: ChildProcess.Launcher(leash: [], environment: []))
            let (snapshot, note) = try SnapshotRun.make(
                run, store: SnapshotStore(folder: "/nowhere"), initramfs: initramfs, qemu: nil,
                boot: boot, timeOfDay: { 0 })
            #expect(snapshot == nil)
            #expect(note != nil)
        }
    }
}
