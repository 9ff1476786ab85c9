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
    func troubles(
        _ fileTroubles: [String: [BTFTrouble]], healthy: Set<String>
    ) -> [BTFTrouble] {
        var troubles: [BTFTrouble] = []
        var said: Set<String> = []
        let named = Set(
            reading.complaints.filter { $0.message.sort == .refusedBTF }
                .compactMap(\.message.module))
        for complaint in reading.complaints {
            let message = complaint.message
            guard let meaning = message.meaning else { continue }
            // Said once, of any module.
            if message.sort == .mismatch, !named.isEmpty { continue }
            let subject = LogExam.module(message.module) ?? message.subject ?? name
            guard said.insert("\(message.sort) \(subject)").inserted else { continue }
            let evidence =
                ["\(name), line \(complaint.line): \(message.text)"]
                + complaint.readerLines.suffix(2)
            if let module = LogExam.module(message.module), let known = fileTroubles[module] {
                for var trouble in known {
                    trouble.evidence += evidence
                    if said.insert("file \(trouble.cause) \(trouble.subject)").inserted {
                        troubles.append(trouble)
                    }
                }
                continue
            }
            var trouble = BTFTrouble(
                KernelMessage.cause(ofReaderLines: complaint.readerLines) ?? meaning.cause,
                of: subject, meaning.effect, isSure: meaning.isSure, evidence: evidence,
                cure: nil)
            if let module = LogExam.module(message.module), healthy.contains(module) {
                trouble = BTFTrouble(
                    .unexplained, of: module, meaning.effect, isSure: false,
                    evidence: evidence + [
                        "its file is in order now: it may have changed since the log was written"
                    ], cure: Cure(["modprobe", module]))
            } else if let cure = cure(of: message, complaint.release) {
                trouble.cure = cure
            } else if trouble.cause == .otherBase {
                trouble.cure = Cure(
                    ["kbtf", "doctor", "/lib/modules/\(complaint.release ?? "RELEASE")"],
                    remark: "on the machine that wrote the log: the file shows the cause")
            }
            troubles.append(trouble)
        }
        return troubles
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

    /// `nvidia_uvm` for `/tmp/nvidia-uvm.ko`, as builds name modules.
    static func module(_ name: String?) -> String? {
        guard let name else { return nil }
        let file = name.split(separator: "/").last ?? ""
        return String(file.prefix { $0 != "." }.map { $0 == "-" ? "_" : $0 })
    }
}
