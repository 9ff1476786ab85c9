// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO
import KernelTree
import TestSupport
import Testing

/// What real kernels said to thousands of BTFs (`CHECKS=verdicts make conformance`).
@Suite struct KernelAnswerReplayTests {
    static func record(_ series: String) throws -> VerdictRecord {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let packed = try FileReader.map("/\(folder)/Data/verdicts-\(series).gz")
        let text = try decompress(packed, format: .gzip, concatenated: false)
        return try #require(VerdictRecord(String(decoding: text.array, as: UTF8.self)))
    }

    @Test(arguments: ["6.1", "6.12", "7.2"]) func replay(_ series: String) throws {
        let record = try Self.record(series)
        let rules = try #require(VerdictRun.rules(record.release))
        let run = try VerdictRun(record.ground, record.ground.kernel(), rules)
        try #require(run.cases.count == record.answers.count, "the generator has changed")
        var (asked, refused, otherReasons) = (0, 0, 0)
        for (number, answer) in record.answers.enumerated() {
            guard let answer else { continue }
            asked += 1
            if answer.outcome != .taken { refused += 1 }
            let ours = run.answer(run.cases[number])
            switch answer.agreement(ours) {
            case .all: break
            case .verdictAlone: otherReasons += 1
            case .neither: Issue.record("\(number): the kernel: \(answer.kept), we: \(ours)")
            }
        }
        #expect(asked > 10_000 && refused > 5_000)
        // Where the kernel gives a reason, ours is the same.
        #expect(otherReasons * 20 <= refused, "\(otherReasons) of \(refused)")
    }
}
