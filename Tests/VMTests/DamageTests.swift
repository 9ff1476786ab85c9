// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO
import Testing

@testable import VM

/// A guest may print anything: nothing of it traps, and the judgement has a bounded size.
@Suite struct DamageTests {
    private static let pieces = [
        "kbtf: ", "kbtf+ ", "KTAP version 1", "TAP version 13", "1..", "ok ", "not ok ", "# ", "\n",
        "\r\n", " ", "  ",
        "0", "3", "99999999999999999999", "# SKIP", "# test ", "# module ", "# end", "Bail out!",
        "\\#", "#", "[ 1.0] ",
        "[    T1] ", "[", "]", "Kernel panic - not syncing: ", "BUG: ", "WARNING: ", "Oops: ",
        "reboot: ",
        "---[ end trace ", "------------[ cut here ]------------",
        "** 7 printk messages dropped **", "\u{1b}[", "\u{1b}",
        "\0", "\u{301}", "é", "a",
    ]

    @Test(arguments: UInt64(1)...8) func anyText(_ seed: UInt64) {
        var state = seed
        func random(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % below
        }
        var withResults = 0
        for _ in 0..<60 {
            var bytes: [UInt8] = []
            for _ in 0..<random(600) {
                bytes += Array(DamageTests.pieces[random(DamageTests.pieces.count)].utf8)
                if random(20) == 0 { bytes.append(UInt8(random(256))) }
            }
            for hasOwnInit in [true, false] {
                var record = GuestRecord(hasOwnInit: hasOwnInit)
                var reader = ConsoleReader()
                reader.take(bytes) { record.take($0) }
                reader.finish { record.take($0) }
                let report = record.report(
                    cut: nil, ending: .exited(0), milliseconds: 0, acceleration: .tcg)
                #expect(report.evidence.count <= GuestRecord.shownLines)
                #expect(report.troubles.count <= GuestRecord.keptTroubles)
                #expect((report.outcome == .passed) == report.reason.isEmpty, "seed \(seed)")
                if report.tests?.results.isEmpty == false { withResults += 1 }
                let summary = Summary([.init(name: "x", report: report)])
                // Whatever was in it, one result of the guest comes out.
                var parser = KTAPParser()
                for line in summary.ktap().split(separator: "\n") { parser.take(String(line)) }
                #expect(parser.outermost?.results.count == 1, "seed \(seed)")
            }
        }
        #expect((1..<120).contains(withResults), "seed \(seed): \(withResults)")
    }
}
