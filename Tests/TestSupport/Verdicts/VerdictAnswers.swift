// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes

/// What a real kernel said of one case.
package struct VerdictAnswer: Equatable, Sendable {
    package enum Outcome: Equatable, Sendable {
        case taken
        /// A module was loaded without its BTF; the kernel does not say why.
        case absent
        case refused(errno: Int)
    }

    package let outcome: Outcome
    /// The last type in its log, where it names one.
    package let type: UInt32?
    /// The last line of its log; bytes that are not printable as `\x09`.
    package let text: String

    /// A line of verdicts.c, without the number.
    package init?(guest line: Substring, isModule: Bool) {
        let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        let log = parts.count > 1 ? parts[1].split(separator: "|") : []
        var outcome: Outcome
        switch parts[0] {
        case "taken": outcome = .taken
        case "absent": outcome = .absent
        default:
            guard let errno = Int(parts[0]) else { return nil }
            outcome = .refused(errno: errno)
        }
        var lines = log
        if isModule {
            // Pieces of lines, each a line.
            var text = ""
            var others: [Substring] = []
            for line in log {
                if line.hasPrefix("BPF: ") {
                    text += line.dropFirst(5)
                } else if let at = line.range(ofText: "] BTF: -") {
                    outcome = .refused(errno: Int(line[at...].drop { !$0.isNumber }) ?? 0)
                } else if !line.contains("mismatch detected") {
                    others.append(line)
                }
            }
            lines = others.isEmpty ? [text[...]] : others
        }
        self.outcome = outcome
        let last = outcome == .taken ? "" : lines.last.map(String.init) ?? ""
        // Other lines are not about the type that was logged last.
        let isAboutType = last.hasPrefix("[") || last.hasPrefix("\\x09")
        let named = isAboutType ? lines.first { $0.first == "[" } : nil
        type = named.flatMap { UInt32($0.dropFirst().prefix { $0.isNumber }) }
        text = last
    }

    /// A line of kept answers.
    package init?(kept line: Substring) {
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        switch parts[0] {
        case "taken": outcome = .taken
        case "absent": outcome = .absent
        default:
            guard let errno = Int(parts[0]) else { return nil }
            outcome = .refused(errno: errno)
        }
        type = parts.count > 1 ? UInt32(parts[1]) : nil
        text = parts.count > 2 ? String(parts[2]) : ""
    }

    package var kept: String {
        let word =
            switch outcome {
            case .taken: "taken"
            case .absent: "absent"
            case .refused(let errno): "\(errno)"
            }
        if type == nil, text.isEmpty { return word }
        return "\(word) \(type.map(String.init) ?? "-") \(text)"
    }

    // MARK: Comparison

    package enum Agreement: String, Sendable {
        case all
        /// Verdict and errno, but another reason or type.
        case verdictAlone
        case neither
    }

    /// Whether we said the same.
    package func agreement(_ ours: KernelAnswer) -> Agreement {
        switch ours {
        case .taken: return outcome == .taken ? .all : .neither
        case .refused(let refusal):
            switch outcome {
            case .taken: return .neither
            case .absent: break
            case .refused(let errno): if errno != refusal.errno.number { return .neither }
            }
            guard let last = refusal.lines.last, !text.isEmpty else { return .all }
            let said = Self.escaped(last)
            let isNamed = type == nil || refusal.type?.rawValue == type
            return isNamed && (text == said || text.hasSuffix(said)) ? .all : .verdictAlone
        case .dependsOnKernel, .unpredictable: return .neither
        }
    }

    static func escaped(_ line: String) -> String {
        var text = ""
        for byte in line.systemBytes {
            if byte < 0x20 || byte > 0x7e || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "|")
            {
                let digits = String(byte, radix: 16)
                text += "\\x" + (digits.count < 2 ? "0" : "") + digits
            } else {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        return text
    }
}

extension KernelErrno {
    package var number: Int {
        switch self {
        case .invalid: 22
        case .tooBig: 7
        case .notFound: 2
        case .exists: 17
        case .loop: 40
        case .fault: 14
        case .notSupported: 524
        }
    }
}

extension Substring {
    /// Where `text` begins.
    fileprivate func range(ofText text: String) -> Index? {
        let (bytes, wanted) = (Array(utf8), Array(text.utf8))
        guard bytes.count >= wanted.count else { return nil }
        for at in 0...(bytes.count - wanted.count)
        where bytes[at..<at + wanted.count].elementsEqual(wanted) {
            return utf8.index(utf8.startIndex, offsetBy: at)
        }
        return nil
    }
}
