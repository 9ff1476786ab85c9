// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Testing

@testable import VM

@Suite struct ConsoleTests {
    private func events(_ text: String, piece: Int = 7) -> [ConsoleEvent] {
        var reader = ConsoleReader()
        var found: [ConsoleEvent] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: piece) {
            reader.take(bytes[start..<min(start + piece, bytes.count)]) { found.append($0) }
        }
        reader.finish { found.append($0) }
        return found
    }

    @Test(arguments: [
        ("[    1.234567] text", "text"), ("[12345.000001] text", "text"),
        ("[    1.234567][    T1] text", "text"), ("[    1.234567][   C0] [x] text", "[x] text"),
        ("[x] text", "[x] text"), ("text [1.2] more", "text [1.2] more"), ("[ 1.2]", ""),
        ("[", "["),
        ("", ""), ("[    1.234567]   indented", "  indented"),
    ])
    func time(_ line: String, _ text: String) {
        #expect(ConsoleReader.withoutTime(line[...]) == text)
    }

    /// However the bytes come, the events are the same.
    @Test(arguments: [1, 2, 3, 1000]) func pieces(_ piece: Int) {
        let text =
            "\u{1b}[2J\u{1b}[1;1HBIOS\r\n[ 0.1] Linux\r\n[ 0.2] kbtf: ok 1 a\n[ 0.3] reboot: Power down\nend"
        #expect(
            events(text, piece: piece) == [
                .line("BIOS"), .line("[ 0.1] Linux"), .line("[ 0.2] kbtf: ok 1 a"),
                .guest("ok 1 a"),
                .line("[ 0.3] reboot: Power down"), .powerDown, .line("end"),
            ])
    }

    @Test func aLineInPieces() {
        #expect(
            events("[1.0] kbtf+ one \n[1.1] other\n[1.2] kbtf+ two \n[1.3] kbtf: three\n").filter {
                if case .guest = $0 { true } else { false }
            } == [.guest("one two three")])
    }

    /// What a test prints is never taken for the kernel's word: init puts its mark before it.
    @Test func aTestThatPrintsAPanic() {
        let found = events("[1.0] kbtf:   Kernel panic - not syncing: just words\n")
        #expect(found.count == 2)
        #expect(found.last == .guest("  Kernel panic - not syncing: just words"))
    }

    @Test func lostLines() {
        #expect(events("** 12 printk messages dropped **\n").last == .lost(12))
    }

    @Test func anEndlessLine() {
        let found = events(String(repeating: "x", count: 100_000), piece: 4096)
        #expect(found.count == 7)
        #expect(
            found.allSatisfy {
                if case .line(let line) = $0 { line.utf8.count <= 16384 } else { false }
            })
    }

    @Test func bytesThatAreNoText() {
        var reader = ConsoleReader()
        var found: [ConsoleEvent] = []
        reader.take([0xff, 0xfe, 0, 0x41, 0x0a]) { found.append($0) }
        #expect(found == [.line("\u{fffd}\u{fffd}A")])
    }

    /// Beginnings as kernels of different ages and machines print them.
    @Test(arguments: [
        ("Kernel panic - not syncing: sysrq triggered crash", Trouble.Kind.panic),
        ("Kernel panic - not syncing: No working init found.  Try passing init= option", .noInit),
        ("Kernel panic - not syncing: Requested init /x failed (error -2).", .noInit),
        ("Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)", .noInit),
        ("BUG: unable to handle page fault for address: ffffc900", .oops),
        ("BUG: kernel NULL pointer dereference, address: 0000000000000008", .oops),
        (
            "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008",
            .oops
        ),
        ("Internal error: Oops: 0000000096000044 [#1] SMP", .oops),
        ("Oops: 0002 [#1] PREEMPT SMP NOPTI", .oops),
        ("general protection fault, probably for non-canonical address 0xdead: 0000 [#1]", .oops),
        ("kernel BUG at /src/kbtf_fault.c:26!", .bug),
        ("BUG: scheduling while atomic: insmod/87/0x00000002", .bug),
        ("BUG: sleeping function called from invalid context at mm/slab.h:1", .bug),
        ("WARNING: CPU: 1 PID: 87 at /src/kbtf_fault.c:24 kbtf_fault_init+0x6d/0x1000", .warning),
        ("WARNING: kernel/fork.c:1 at copy_process+0x1/0x2, CPU#1: init/1", .warning),
        (
            "BUG: KASAN: slab-out-of-bounds in kmalloc_oob_right+0x159/0x260 [test_kasan]",
            .sanitizer
        ),
        ("BUG: KFENCE: use-after-free read in test_use_after_free_read+0xb3/0x143", .sanitizer),
        ("UBSAN: array-index-out-of-bounds in net/core/x.c:12:3", .sanitizer),
        ("WARNING: possible circular locking dependency detected", .lockdep),
        ("WARNING: possible recursive locking detected", .lockdep),
        ("WARNING: suspicious RCU usage", .lockdep),
        ("INFO: trying to register non-static key.", .lockdep),
        ("watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [insmod:87]", .stall),
        ("INFO: task insmod:87 blocked for more than 120 seconds.", .stall),
        ("rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", .stall),
    ])
    func troubles(_ line: String, _ kind: Trouble.Kind) {
        #expect(events("[    1.000000] \(line)\r\n").last == .trouble(kind, line))
    }

    @Test(arguments: [
        "INFO: task created", "rcu: INFO: rcu_preempt is fine",
        "Warning: unable to open an initial console.",
        "kbtf_fault: BUG: said by a driver", "printk: console [ttyS0] enabled", "oops=panic",
        "Kernel command line: panic=-1 oops=panic", "DEBUG: x", "ACPI BIOS Warning (bug): x",
    ])
    func noTroubles(_ line: String) {
        #expect(events("[    1.0] \(line)\n") == [.line("[    1.0] \(line)")])
    }
}
