// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Diagnosis
import KernelTree

/// Joins what a log says with what the modules' files show.
struct LogExam {
    let reading: LogReading
    /// The log's name in sentences.
    let name: String
    /// Of the system whose log it is, as far as that is known.
    let installer: SystemRoot.Installer

    /// - Parameters:
    ///   - fileTroubles: what was found in files, by the name of the module.
    ///   - healthy: modules whose files were looked at and are in order.
    /// - Returns: troubles, and remarks about modules that are in order now.
    func troubles(
        _ fileTroubles: [String: [BTFTrouble]], healthy: Set<String>
    ) -> (troubles: [BTFTrouble], remarks: [String]) {
        var troubles: [BTFTrouble] = []
        var remarks: [String] = []
        var said: Set<String> = []
        let named = Set(
            reading.complaints.filter { $0.message.sort == .refusedBTF }
                .compactMap(\.message.module))
        var refused: String?
        for complaint in reading.complaints {
            var message = complaint.message
            guard let meaning = message.meaning else { continue }
            // Said once, of any module.
            if message.sort == .mismatch, !named.isEmpty { continue }
            // Said of the module whose BTF was refused right before.
            if message.sort == .noModuleBTF, message.module == nil { message.module = refused }
            refused = message.sort == .refusedBTF ? message.module : nil
            let module = message.moduleName
            let subject = module ?? subject(of: message)
            guard said.insert("\(message.sort) \(subject)").inserted else { continue }
            let evidence =
                ["\(name), line \(complaint.line): \(message.text)"]
                + complaint.readerLines.suffix(2)
            if let module, let known = fileTroubles[module] {
                for var trouble in known {
                    trouble.evidence += evidence
                    troubles.append(trouble)
                }
            } else if let module, healthy.contains(module) {
                remarks.append(
                    "\(evidence[0]); its file is in order: if that is new, load the module again")
            } else if message.sort != .noModuleBTF || module == nil {
                troubles.append(trouble(complaint, meaning, subject, evidence))
            }
        }
        return (troubles, remarks)
    }

    private func subject(of message: KernelMessage) -> String {
        guard message.sort == .noModuleBTF else { return message.subject ?? name }
        return "a module that registers \(message.subject ?? "ids")"
    }

    /// What a message says about a module that is not at hand.
    private func trouble(
        _ complaint: LogReading.Complaint, _ meaning: (cause: Cause, effect: Effect, isSure: Bool),
        _ subject: String, _ evidence: [String]
    ) -> BTFTrouble {
        var trouble = BTFTrouble(
            KernelMessage.cause(ofReaderLines: complaint.readerLines) ?? meaning.cause,
            of: subject, meaning.effect, isSure: meaning.isSure, evidence: evidence,
            cure: cure(of: complaint.message, complaint.release))
        if trouble.cure == nil, trouble.cause == .otherBase {
            trouble.cure = Cure(
                ["kbtf", "doctor", "/lib/modules/\(complaint.release ?? "RELEASE")"],
                remark: "on the machine that wrote the log: the file shows the cause")
        }
        return trouble
    }

    /// What puts right what a message alone shows.
    private func cure(of message: KernelMessage, _ release: String?) -> Cure? {
        let release = release ?? "RELEASE"
        switch message.sort {
        case .vermagic, .symbolVersion, .otherStructModule:
            return Cure(
                ["dkms", "autoinstall", "-k", release],
                remark: "or build it again with the headers of that kernel")
        case .unknownSymbol: return Cure(["depmod", "-a", release])
        case .unsigned, .lockdown:
            return Cure(
                ["mokutil", "--import", "/var/lib/dkms/mok.pub"],
                remark: "if DKMS signed it; a reboot asks to confirm the key")
        case .skippedBTF:
            return Cure(
                ["kbtf-make", "-C", "/lib/modules/\(release)/build", "M=DIR", "modules"],
                remark: "in the directory with the module's sources")
        case .noResolver, .foreignResolver:
            return Cure(installer.reinstall("linux-headers-\(release)"))
        case .noPahole, .paholeRejects: return Cure(installer.install(installer.pahole))
        default: return nil
        }
    }
}

extension KernelMessage {
    /// The name of the module that it is about; the message may have its file.
    var moduleName: String? { module.map { ModuleName.ofFile($0) } }
}
