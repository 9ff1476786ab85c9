// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTFIDs
import DWARF
import DWARFToBTF
import ELF
import HostIO
import KernelTree

/// Why something could not be done: what the user is told.
struct Failure: Error {
    /// File, place in it, what is wrong. Names stand in it as they are: `Talk` shows them on one line.
    var message: String
    /// What to do about it.
    var hint: String?
    /// More about it, a line each, for those who ask for it.
    var details: [String]
    /// The details are said without `-v`, too.
    var showsDetails = false
    /// What failed, where somebody acts on it.
    var subject = Subject.file

    enum Subject {
        case file
        /// A file without debug information.
        case debugInfo
        /// What others were to stand on.
        case base
    }

    init(_ message: String, details: [String] = [], hint: String? = nil) {
        self.message = message
        self.details = details
        self.hint = hint
    }

    init(_ error: HostError) { self.init(error.description) }

    init(_ error: ELFError) { self.init(error.description) }

    init(_ error: IDError) { self.init(error.description) }

    init(_ error: KernelTreeError) {
        self.init(error.description, details: error.details, hint: error.hint)
    }

    init(_ error: EncodeError, path: String) {
        switch error {
        // These name the file themselves.
        case .read(.elf(let error)), .elf(let error): self.init(error)
        case .split(.otherBuild): self.init("\(error)", hint: "build both anew")
        case .split: self.init("\(error)")
        case .read(.dwarf), .dwarf, .btf, .noDebugInfo, .linkedUnits:
            self.init("\(path): \(error)")
        }
        if case .noDebugInfo = error { subject = .debugInfo }
    }

    /// The same for the file `path`, and for others that share its fate.
    func about(_ path: String, others: Int) -> Failure {
        reworded("\(others == 0 ? path : "\(path) and \(others) more"): \(message)")
    }

    /// The same in other words.
    func reworded(_ message: String) -> Failure {
        var failure = Failure(message, details: details, hint: hint)
        failure.subject = subject
        failure.showsDetails = showsDetails
        return failure
    }
}
