// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What a log says, by module.
package struct LogReading: Sendable {
    /// A complaint about one module, or about none that is named.
    package struct Complaint: Sendable {
        package let message: KernelMessage
        /// Counted from 1.
        package let line: Int
        /// What the kernel's reader of BTF said right before.
        package let readerLines: [String]
        /// The kernel that said it, if the log has its banner.
        package let release: String?
    }

    package private(set) var complaints: [Complaint] = []
    /// The last kernel whose banner is in the log.
    package private(set) var release: String?
    /// Complaints left out because of their number.
    package private(set) var omitted = 0

    /// Complaints kept. A machine loads a few hundred modules.
    private static let most = 10_000
    private static let mostReaderLines = 16

    /// - Parameter text: any bytes; what is not UTF-8 is shown as such.
    package init(_ text: String) {
        var readerLines: [String] = []
        var number = 0
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            number += 1
            // No message of a kernel is longer (LOG_LINE_MAX).
            guard line.utf8.count <= 4096, let message = KernelMessage.recognise(line) else {
                continue
            }
            switch message.sort {
            case .banner:
                release = message.subject
                readerLines = []
            case .readerLine:
                if readerLines.count == LogReading.mostReaderLines { readerLines.removeFirst() }
                // Also between reports, an empty one.
                guard message.text != "BPF:" else { continue }
                readerLines.append(message.text)
            default:
                guard complaints.count < LogReading.most else {
                    omitted += 1
                    continue
                }
                complaints.append(
                    Complaint(
                        message: message, line: number,
                        readerLines: message.sort == .refusedBTF ? readerLines : [],
                        release: release))
                readerLines = []
            }
        }
    }
}

extension KernelMessage {
    /// What the message alone shows; nil for messages that only go with others.
    ///
    /// - Returns: the cause, what it means, and whether nothing else is possible.
    package var meaning: (cause: Cause, effect: Effect, isSure: Bool)? {
        switch sort {
        case .banner, .readerLine, .unsignedAllowed, .linked, .madeBTF: nil
        // Most often; only the file tells.
        case .refusedBTF: (.otherBase, .notLoaded, false)
        case .mismatch, .notInSysfs: (.otherBase, .withoutBTF, false)
        case .noModuleBTF: (.skipped, .withoutBTF, false)
        case .noKernelBTF: (.unexplained, .withoutBTF, false)
        case .vermagic: (.vermagic, .notLoaded, true)
        case .symbolVersion: (.symbolVersions, .notLoaded, true)
        case .unknownSymbol: (.unknownSymbol, .notLoaded, true)
        case .unsigned, .lockdown: (.unsigned, .notLoaded, true)
        case .damagedFile: (.damagedFile, .notLoaded, true)
        case .otherStructModule: (.vermagic, .notLoaded, true)
        case .skippedBTF: (.skipped, .withoutBTF, true)
        case .noResolver, .foreignResolver: (.wrongTool, .nextBuild, true)
        case .noPahole: (.paholeMissing, .nextBuild, true)
        case .paholeRejects: (.paholeTooOld, .nextBuild, true)
        case .paholeFails: (.unexplained, .nextBuild, false)
        case .unresolvedSymbol: (.kfuncsRefused, .withoutBTF, false)
        case .baseUnreadable: (.noHeaders, .nextBuild, false)
        }
    }

    /// What the kernel's reader of BTF said, where it shows by itself what is wrong.
    package static func cause(ofReaderLines lines: [String]) -> Cause? {
        let all = lines.joined(separator: "\n")
        if all.contains("Unknown kind") || all.contains("Invalid kind") { return .newerKinds }
        if all.contains("relocat") { return .otherBase }
        return nil
    }
}
