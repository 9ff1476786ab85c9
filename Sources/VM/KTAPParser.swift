// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Reads KTAP line by line. Never fails: violations become faults of the test they belong to, and
/// anything that is not KTAP is output of a test.
///
/// A level is open from its version line (or its plan: many tests omit the version) to the next
/// result that is indented less, which sums it up.
package struct KTAPParser {
    /// Deeper ones count as output.
    static let maximumDepth = 16
    /// Lines of output kept for one test: the last ones, in addition to the first.
    static let keptLines = 100

    private var levels: [(indent: Int, group: KTAPGroup)] = []
    /// Levels that ended, until the result that sums them up.
    private var ended: KTAPGroup?
    private var pending = Output()
    /// The reason given with `Bail out!`.
    package private(set) var bailOut: String?

    package init() {}

    /// What has been read so far, as if the input ended here; nil if there was no KTAP.
    package var outermost: KTAPGroup? {
        var copy = self
        while copy.levels.count > 1 { copy.closeLevel() }
        guard var group = copy.levels.first?.group else { return nil }
        if let rest = copy.ended {
            // Its result is missing: the test was still running.
            group.faults += rest.finalFaults.map { "no result after subtests: \($0)" }
            if rest.finalFaults.isEmpty { group.faults.append("no result after subtests") }
        }
        group.output = copy.pending.lines
        return group
    }

    /// Processes a line.
    ///
    /// - Parameter circumstances: lines to show with the line's result, if it is on the outermost
    ///   level and failed.
    /// - Returns: the result, if the line is one on the outermost level.
    @discardableResult
    package mutating func take(_ line: String, circumstances: [String] = []) -> KTAPResult? {
        let text = line.drop { $0 == " " }
        let indent = line.utf8.count - text.utf8.count
        let parsed = KTAPLine(text)
        switch parsed {
        case .version: open(indent, line, isVersion: true)
        case .plan(let plan): take(plan, indent, line)
        case .result(let verdict, let number, let name, let reason):
            var result = KTAPResult(said: verdict, name: name, reason: reason)
            return take(&result, number, indent, line, circumstances)
        case .bailOut(let reason):
            bailOut = bailOut ?? reason
            pending.add(String(text))
        case .diagnostic, .other: pending.add(String(text))
        }
        return nil
    }

    private mutating func open(_ indent: Int, _ line: String, isVersion: Bool) {
        guard let top = levels.last else {
            levels.append((indent, KTAPGroup()))
            return
        }
        if indent > top.indent, levels.count < KTAPParser.maximumDepth {
            levels.append((indent, KTAPGroup()))
        } else if isVersion, indent == top.indent, !top.group.results.isEmpty {
            levels[levels.count - 1].group.faults.append("started again")
        } else if indent > top.indent {
            pending.add(line)
        }
    }

    private mutating func take(_ plan: Int, _ indent: Int, _ line: String) {
        if levels.isEmpty || indent > levels[levels.count - 1].indent {
            open(indent, line, isVersion: false)
        }
        guard let level = levels.lastIndex(where: { $0.indent == indent }) else {
            pending.add(line)
            return
        }
        if let known = levels[level].group.plan, known != plan {
            levels[level].group.faults.append("planned \(known), then \(plan)")
        }
        levels[level].group.plan = plan
    }

    private mutating func take(
        _ result: inout KTAPResult, _ number: Int?, _ indent: Int, _ line: String,
        _ circumstances: [String]
    ) -> KTAPResult? {
        guard let level = levels.lastIndex(where: { $0.indent == indent }) else {
            pending.add(line)
            return nil
        }
        while levels.count > level + 1 { closeLevel() }
        if let subtests = ended {
            result.subtests = subtests.results
            result.faults += subtests.finalFaults
            if subtests.results.contains(where: { $0.verdict == .fail }) {
                result.faults.append("a subtest failed")
            }
            pending.prepend(subtests.output)
            ended = nil
        }
        result.output = pending.lines
        if level == 0, result.verdict == .fail { result.output += circumstances }
        pending = Output()
        let expected = levels[level].group.results.count + 1
        if let number, number != expected {
            levels[level].group.faults.append("result \(number) where \(expected) was expected")
        }
        levels[level].group.results.append(result)
        return level == 0 ? result : nil
    }

    /// Closes the innermost level.
    private mutating func closeLevel() {
        guard var group = levels.popLast()?.group else { return }
        if let inner = ended {
            group.faults.append("no result after subtests")
            group.faults += inner.finalFaults
        }
        group.output = pending.lines
        pending = Output()
        ended = group
    }

    /// The first lines, and the last ones.
    private struct Output {
        private var first: [String] = []
        private var last: [String] = []
        private var dropped = 0

        var lines: [String] {
            let ring = dropped % KTAPParser.keptLines
            let inOrder = dropped == 0 ? last : Array(last[ring...] + last[..<ring])
            return first + (dropped == 0 ? [] : ["[\(dropped) lines omitted]"]) + inOrder
        }

        mutating func add(_ line: String) {
            if first.count < KTAPParser.keptLines {
                first.append(line)
            } else if last.count < KTAPParser.keptLines {
                last.append(line)
            } else {
                last[dropped % KTAPParser.keptLines] = line
                dropped += 1
            }
        }

        mutating func prepend(_ lines: [String]) {
            let later = self.lines
            self = Output()
            for line in lines + later { add(line) }
        }
    }
}
