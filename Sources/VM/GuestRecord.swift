// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Diagnosis
import HostIO

/// What is known about a guest while it runs, and the final verdict.
struct GuestRecord {
    /// Why it was stopped.
    enum Cut: Equatable {
        case deadline(seconds: Int)
        case flood(bytes: Int)
        /// It had ended, but its machine had not.
        case halted
    }

    /// Lines of the console shown as evidence.
    static let shownLines = 40
    /// Complaints kept: a kernel may go on complaining.
    static let keptTroubles = 100

    let hasOwnInit: Bool
    /// It sends files at its end.
    let sendsFiles: Bool
    /// A warning is expected if its report begins with a line that contains one of these texts.
    let allowedWarnings: [String]
    var log: [UInt8] = []
    /// The guest's init has printed something.
    private(set) var hasSpoken = false
    private(set) var isHalted = false
    private var hasEnded = false
    private var parser = KTAPParser()
    private var troubles: [Trouble] = []
    /// Expected ones, kept separately so that many of them do not crowd out others.
    private var allowed: [Trouble] = []
    private var allowedCount = 0
    /// The last complaint's report continues.
    private var isInReport = false
    private var lastLines: [String] = []
    /// The kernel's own lines since init announced its current step; nil before the first step.
    private var kernelLines: [String]?
    /// The step's result has arrived. A result without an announcement that follows belongs to it
    /// as well: `NAME.btf`.
    private var hasResult = false
    /// The step it announced: `test foo`.
    private var activity: String?
    private var lostLines = 0
    private var output = GuestOutput()
    private var complaint: [UInt8] = []

    init(hasOwnInit: Bool, sendsFiles: Bool = false, allowedWarnings: [String] = []) {
        self.hasOwnInit = hasOwnInit
        self.sendsFiles = sendsFiles
        self.allowedWarnings = allowedWarnings
        // A foreign initramfs prints nothing to wait for.
        hasSpoken = !hasOwnInit
    }

    mutating func take(_ event: ConsoleEvent) {
        switch event {
        case .line(let line): takeLine(line)
        case .guest(let text): takeGuest(text)
        case .trouble(let kind, let headline):
            // `Oops: 0002` continues a report that began with `BUG: unable to handle ...`.
            let goesOn = isInReport && kind == .oops && troubles.last?.kind != .warning
            guard !goesOn else { break }
            let trouble = Trouble(
                kind: kind, headline: headline, lines: Array(reportSoFar), during: activity)
            isInReport = false
            if isAllowed(trouble) {
                allowedCount += 1
                if allowed.count < GuestRecord.keptTroubles { allowed.append(trouble) }
            } else if troubles.count < GuestRecord.keptTroubles {
                troubles.append(trouble)
                isInReport = true
            }
        case .powerDown: isInReport = false
        case .halted:
            isInReport = false
            isHalted = true
        case .lost(let count): lostLines += count
        }
    }

    private func isAllowed(_ trouble: Trouble) -> Bool {
        trouble.kind == .warning
            && allowedWarnings.contains { text in
                trouble.lines.contains { $0.contains(text) }
            }
    }

    /// The last line and those before it that belong to it: a warning's own text is between the
    /// line that opens the report and the one with the location.
    private var reportSoFar: ArraySlice<String> {
        let recent = lastLines.suffix(4)
        let start = recent.lastIndex { $0.hasSuffix("------------[ cut here ]------------") }
        return recent[(start ?? recent.endIndex - 1)...]
    }

    /// QEMU's own messages; the first ones matter.
    mutating func takeComplaint(_ bytes: [UInt8]) {
        complaint += bytes.prefix(max(0, 4096 - complaint.count))
    }

    private mutating func takeLine(_ line: String) {
        let text = ConsoleReader.withoutTime(line[...])
        if sendsFiles, text.hasPrefix(ConsoleReader.mark + GuestOutput.dataMark) { return }
        if lastLines.count == GuestRecord.shownLines { lastLines.removeFirst() }
        lastLines.append(line)
        if isInReport, let last = troubles.indices.last {
            if troubles[last].lines.count < GuestRecord.shownLines {
                troubles[last].lines.append(line)
            }
            if TroubleRecogniser.endsReport(text) || text.hasPrefix(ConsoleReader.mark) {
                isInReport = false
            }
        }
        guard hasOwnInit else {
            parser.take(String(text))
            return
        }
        if let count = kernelLines?.count, !text.isEmpty, !text.hasPrefix(ConsoleReader.mark),
            !text.hasPrefix(ConsoleReader.partMark)
        {
            if count == GuestRecord.shownLines { kernelLines?.removeFirst() }
            kernelLines?.append(String(text))
        }
    }

    private mutating func takeGuest(_ text: String) {
        guard hasOwnInit else { return }
        hasSpoken = true
        if sendsFiles, output.take(text) { return }
        if text == "# end" {
            hasEnded = true
            return
        } else if text.hasPrefix("# Totals: ") {
            // Recounted here, including subtests.
            return
        } else if text.hasPrefix("# module ") || text.hasPrefix("# test ") {
            activity = String(text.dropFirst(2))
            if hasResult || kernelLines == nil { kernelLines = [] }
            hasResult = false
            return
        }
        if parser.take(text, circumstances: GuestRecord.explained(kernelLines ?? [])) != nil {
            activity = nil
            hasResult = true
        }
    }

    /// The kernel's lines, and after those from which it is certain what they mean for a module.
    private static func explained(_ lines: [String]) -> [String] {
        lines.flatMap { line in
            guard let meaning = KernelMessage.recognise(line[...])?.meaning, meaning.isSure else {
                return [line]
            }
            return [line, "-> \(meaning.cause.rawValue): \(meaning.cause.sentence)"]
        }
    }

    func report(
        cut: Cut?, ending: ChildProcess.Ending, milliseconds: Int, acceleration: Acceleration
    ) -> GuestReport {
        let tests = parser.outermost
        let (outcome, reason, evidence) = judge(cut, ending, tests)
        var output = output
        output.end(isExpected: sendsFiles && outcome != .machinery)
        return GuestReport(
            outcome: outcome, reason: reason, evidence: evidence, tests: tests, troubles: troubles,
            allowed: allowed, allowedCount: allowedCount,
            log: log, milliseconds: milliseconds, acceleration: acceleration, lostLines: lostLines,
            output: output)
    }

    private func judge(
        _ cut: Cut?, _ ending: ChildProcess.Ending, _ tests: KTAPGroup?
    ) -> (Outcome, String, [String]) {
        let during = activity.map { ", during \($0)" } ?? ""
        if case .flood(let bytes) = cut {
            return (.flood, "more than \(bytes) bytes on the console\(during)", lastLines)
        }
        if let first = troubles.first {
            let during = first.during.map { ", during \($0)" } ?? ""
            return (.trouble(first.kind), first.headline + during, first.lines)
        }
        if case .deadline(let seconds) = cut {
            guard hasSpoken else {
                let said =
                    lastLines.isEmpty ? "nothing on the console" : "no output of the guest's init"
                return (.noBoot, "\(said) within \(seconds) seconds", lastLines)
            }
            return (.hang, "still running after \(seconds) seconds\(during)", lastLines)
        }
        guard cut == .halted || ending == .exited(0) else { return machinery(ending) }
        if let reason = parser.bailOut { return (.failed, "bail out: \(reason)", lastLines) }
        if hasOwnInit, !hasEnded {
            let when = hasSpoken ? "before its tests were done" : "before its init printed anything"
            return (.earlyPowerOff, "the guest ended \(when)\(during)", lastLines)
        }
        guard let tests else { return (.earlyPowerOff, "the guest ended without KTAP", lastLines) }
        if tests.hasPassed { return (.passed, "", []) }
        let failed = tests.results.filter { $0.verdict == .fail }
        let names = failed.prefix(5).map { $0.name } + (failed.count > 5 ? ["..."] : [])
        var reasons = tests.finalFaults
        if !failed.isEmpty {
            reasons.append(
                "\(failed.count) of \(tests.results.count) failed: \(names.joined(separator: ", "))"
            )
        }
        return (.failed, reasons.joined(separator: "; "), [])
    }

    /// QEMU ended for a reason other than the guest.
    private func machinery(_ ending: ChildProcess.Ending) -> (Outcome, String, [String]) {
        let said = String(decoding: complaint, as: UTF8.self).split(separator: "\n").map(
            String.init)
        let how =
            switch ending {
            case .exited(let status): "QEMU ended with status \(status)"
            case .signalled(let number): "QEMU was killed by signal \(number)"
            }
        return (.machinery, ([how] + said.prefix(1)).joined(separator: ": "), said + lastLines)
    }
}
