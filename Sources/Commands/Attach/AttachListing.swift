// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Attaching
import BTF
import Bytes
import Console
import KernelTree

/// Targets with the answers to programs.
struct AttachListing {
    private let subject: AttachSubject
    private let judge: AttachJudge
    private let isSleepable: Bool
    private let showsWays: Bool
    var showsAllArguments = false
    private var entries: [Entry] = []
    private var leftOut: [LeftOut] = []
    /// Names that could have been selected.
    private(set) var candidates: [String] = []

    private struct Entry {
        let name: String
        let way: AttachWay
        let record: Record
        let verdict: AttachVerdict
        /// Its name was given in full.
        let isNamed: Bool
    }

    init(_ subject: AttachSubject, isSleepable: Bool, _ ways: [AttachWay]) {
        self.subject = subject
        self.isSleepable = isSleepable
        showsWays = ways.count > 1
        judge =
            subject.programs.map { AttachJudge(subject.btf, $0) }
            ?? AttachJudge(
                subject.btf, subject.facts, kernel: subject.kernel, version: subject.version,
                machine: subject.machine, isSleepable: isSleepable)
    }

    mutating func add(_ way: AttachWay, _ selection: NameSelection) {
        let wanted: Kind = way == .tpBTF ? .typedef : .func
        for record in subject.btf.ownRecords where record.kind == wanted {
            let whole = record.name
            guard whole.hasPrefix(way.prefix), subject.programs?.has(whole) ?? true else {
                continue
            }
            let name = String(whole.dropFirst(way.prefix.utf8.count))
            candidates.append(name)
            let taken = selection.take(name, way)
            guard taken.isTaken else { continue }
            let verdict = judge.judge(record, way)
            // Helpers of the LSM's and of iterators have such names, too.
            if way == .lsm || way == .iter, !taken.isNamed, verdict.isNoTarget { continue }
            entries.append(
                Entry(
                    name: name, way: way, record: record, verdict: verdict, isNamed: taken.isNamed))
        }
    }

    mutating func add(_ functions: [LeftOut], _ selection: NameSelection) {
        for function in functions where selection.take(function.name, nil).isTaken {
            leftOut.append(function)
        }
    }

    var isEmpty: Bool { entries.isEmpty && leftOut.isEmpty }

    /// A target that was named in full is refused.
    var hasNamedRefusal: Bool {
        entries.contains { entry in
            if case .no = entry.verdict.answer { entry.isNamed } else { false }
        }
    }

    private func count(_ word: String) -> Int {
        entries.count { $0.verdict.answer.word == word }
    }

    var summary: String {
        var text =
            "\(entries.count) target\(entries.count == 1 ? "" : "s"): \(count("yes")) yes, "
            + "\(count("no")) no, \(count("unknown")) unknown"
        if !leftOut.isEmpty { text += "; \(leftOut.count) functions are not in the BTF" }
        return text
    }

    /// Commands that replace `unknown` by an answer.
    var hints: [String] {
        var missing: [Missing] = []
        for entry in entries {
            if case .unknown(let what) = entry.verdict.answer, !missing.contains(what) {
                missing.append(what)
            }
        }
        return missing.compactMap { what in
            switch what {
            case .release: "kbtf attach\(subject.options) --release R, the kernel's release"
            case .symbols, .sets, .fentries:
                "kbtf attach\(subject.options) --symbols vmlinux, the kernel's with symbols"
                    + (what == .symbols ? ", or its System.map" : "")
            case .machine, .patching, .owner: nil
            }
        }
    }

    // MARK: Text

    func text(_ paint: Paint) -> [UInt8] {
        let texts = TypeTexts(subject.btf)
        var out: [UInt8] = []
        for entry in entries {
            let answer = entry.verdict.answer
            let word = answer.word
            let padded = word + String(repeating: " ", count: 9 - word.utf8.count)
            switch answer {
            case .yes: out += paint.good(padded).utf8
            case .no: out += paint.bad(padded).utf8
            case .unknown: out += padded.utf8
            }
            if showsWays {
                out += entry.way.rawValue.utf8
                out += String(repeating: " ", count: 10 - entry.way.rawValue.utf8.count).utf8
            }
            out += entry.name.shown.utf8
            if let reason = answer.reason(entry.verdict) {
                out += ": ".utf8
                out += reason.shown.utf8
            }
            out.append(10)
            for note in entry.verdict.notes { out += "         note: \(note.shown)\n".utf8 }
            if entry.isNamed || showsAllArguments {
                for line in arguments(of: entry, texts) { out += "         \(line)\n".utf8 }
            }
        }
        for function in leftOut {
            out += paint.bad("no       ").utf8
            out += "\(function.name.shown): not in the BTF: \(function.reason)\n".utf8
        }
        return out
    }

    private func arguments(of entry: Entry, _ texts: TypeTexts) -> [String] {
        guard let prototype = judge.prototype(of: entry.record, entry.way) else { return [] }
        func line(_ value: Prototype.Value, _ name: String) -> String {
            let place =
                value.slots == 1
                ? "slot \(value.slot)" : "slots \(value.slot) to \(value.slot + value.slots - 1)"
            let size = value.size.map { "\($0) byte\($0 == 1 ? "" : "s")" } ?? "no size"
            return "\(place): \(texts.text(value.type).shown) \(name.shown), \(size)"
        }
        var lines = prototype.arguments.enumerated().map { index, value in
            line(value, value.name.isEmpty ? "(argument \(index))" : value.name)
        }
        if prototype.isVariadic { lines.append("...") }
        if let value = prototype.returnValue { lines.append(line(value, "(return value)")) }
        return lines
    }

    // MARK: JSON

    /// - Parameter absent: the names that are no targets.
    func json(_ absent: [NameSelection.Absent]) -> [UInt8] {
        let texts = TypeTexts(subject.btf)
        return JSONWriter.report { json in
            json.object("kernel") { json in
                json.field("path", subject.kernelPath)
                json.field("release", subject.release?.text)
                json.field("machine", subject.machine)
                json.field("symbols", subject.symbolsPath)
            }
            json.field("module", subject.modulePath)
            json.field("sleepable", isSleepable)
            json.object("counts") { json in
                for word in ["yes", "no", "unknown"] { json.field(word, count(word)) }
            }
            json.array("targets", entries, onLines: true) { json, entry in
                write(entry, texts, to: &json)
            }
            json.array("absent", absent, onLines: true) { json, absent in
                json.object { json in
                    json.field("name", absent.name)
                    absent.failure.write(to: &json)
                }
            }
            json.array("left_out", leftOut, onLines: true) { json, function in
                json.object { json in
                    json.field("name", function.name)
                    json.field("reason", function.reason)
                }
            }
        }
    }

    private func write(_ entry: Entry, _ texts: TypeTexts, to json: inout JSONWriter) {
        json.object { json in
            json.field("name", entry.name)
            json.field("program", entry.way.rawValue)
            json.field("id", entry.record.id.rawValue)
            json.field("answer", entry.verdict.answer.word)
            json.object("load") { write(entry.verdict.load, to: &$0) }
            json.object("attach") { write(entry.verdict.attach, to: &$0) }
            json.field("notes", entry.verdict.notes)
            guard let prototype = judge.prototype(of: entry.record, entry.way) else { return }
            json.array("arguments", prototype.arguments) { write($1, texts, to: &$0) }
            json.field("variadic", prototype.isVariadic)
            json.key("return")
            if let value = prototype.returnValue {
                write(value, texts, to: &json)
            } else {
                json.null()
            }
        }
    }

    private func write(
        _ value: Prototype.Value, _ texts: TypeTexts, to json: inout JSONWriter
    ) {
        json.object { json in
            json.field("name", value.name)
            json.field("type", texts.text(value.type))
            json.field("type_id", value.type.rawValue)
            json.field("size", value.size)
            json.field("slot", value.slot)
            json.field("slots", value.slots)
        }
    }

    private func write(_ answer: Answer, to json: inout JSONWriter) {
        json.field("answer", answer.word)
        switch answer {
        case .yes: break
        case .no(let refusal):
            json.field("errno", refusal.errno.rawValue)
            json.field("errno_number", refusal.errno.number)
            json.field("words", refusal.words)
            json.field("cause", refusal.cause)
        case .unknown(let missing): json.field("missing", missing.text)
        }
    }
}

extension Answer {
    var word: String {
        switch self {
        case .yes: "yes"
        case .no: "no"
        case .unknown: "unknown"
        }
    }

    /// What to say of it besides the word.
    fileprivate func reason(_ verdict: AttachVerdict) -> String? {
        switch self {
        case .yes: nil
        case .no(let refusal): (verdict.load == self ? "" : "loads, but: ") + refusal.text
        case .unknown(let missing): "depends on \(missing.text)"
        }
    }
}

extension AttachVerdict {
    /// The kernel knows no such hook or iterator.
    fileprivate var isNoTarget: Bool {
        guard let refusal = load.refusal else { return false }
        return refusal.words?.contains("wrong type name") ?? false
            || refusal.cause?.contains("no iterator") ?? false
    }
}
