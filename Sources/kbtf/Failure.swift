// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTFIDs
import DWARF
import DWARFToBTF
import ELF
import HostIO
import KernelTree

/// Why something could not be done: what the user is told.
struct Failure: Error {
    /// One line: file, place in it, what is wrong.
    var message: String
    /// What to do about it.
    var hint: String?
    /// More lines, for those who ask for them.
    var details: [String] = []
    /// What failed, where somebody acts on it.
    var subject = Subject.file

    enum Subject {
        case file
        /// A file without debug information.
        case debugInfo
        /// What others were to stand on.
        case base
    }

    init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    init(_ error: HostError) { self.init(error.description) }

    init(_ error: ELFError) { self.init(error.description) }

    init(_ error: IDError) { self.init(error.description) }

    init(_ error: KernelTreeError) {
        let lines = error.description.split(separator: "\n")
        self.init(lines.first.map(String.init) ?? "", hint: error.hint)
        details = lines.dropFirst().map(String.init)
    }

    init(_ error: EncodeError, path: String) {
        switch error {
        // These name the file themselves.
        case .read(.elf(let error)), .elf(let error): self.init(error)
        case .read(.dwarf), .dwarf, .btf, .noDebugInfo, .linkedUnits:
            self.init("\(path): \(error)")
        }
        if case .noDebugInfo = error { subject = .debugInfo }
    }

    /// The same for the file `path`, and for others that share its fate.
    func about(_ path: String, others: Int) -> Failure {
        let who = others == 0 ? path : "\(path) and \(others) more"
        var failure = Failure("\(who): \(message)", hint: hint)
        failure.details = details
        failure.subject = subject
        return failure
    }
}
