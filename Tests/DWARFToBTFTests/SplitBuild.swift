// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// A directory with two sources that share types, to compile with split debug information and
/// without.
class SplitBuild {
    private let scratch: Scratch
    var folder: String { scratch.path }

    init() throws {
        scratch = try Scratch()
        for (index, source) in LinkedUnitTests.sources.enumerated() {
            try scratch.write("\(index).c", source)
        }
    }

    func run(_ command: String) throws {
        try #require(shell("cd '\(folder)' && \(command)"), "\(command)")
    }

    func encoded(_ file: String, jobs: Int = 1) throws -> SplitOutcome {
        try SplitOutcome(of: "\(folder)/\(file)", jobs: jobs)
    }

    func expectEqual(_ one: BTF, _ other: BTF) {
        let comparison = compare(one, other)
        #expect(comparison.isEqual, "\(String(decoding: comparison.text(), as: UTF8.self))")
        #expect(comparison.total.common >= 20)
    }

    func expectSame(_ split: SplitOutcome, _ whole: SplitOutcome) {
        #expect(split.missing.isEmpty)
        expectEqual(split.btf, whole.btf)
        #expect(split.ledger.sorted() == whole.ledger.sorted())
    }
}
