// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFLoad
import BPFObject
import BTFIDs
import Console
import DWARF
import DWARFToBTF
import ELF

// Errors of the libraries, as failures.

extension Failure {
    init(_ error: ELFError) { self.init(error.description) }

    init(_ error: IDError) { self.init(error.description) }

    init(_ error: BPFObjectError) { self.init(error.description, hint: error.hint) }

    init(_ error: LibBPFError) { self.init(error.description, details: error.log) }

    /// - Parameter path: the encoded file, for errors that do not name it.
    init(_ error: EncodeError, path: String) {
        switch error {
        // These name the file themselves.
        case .read(.elf(let error)), .elf(let error): self.init(error)
        case .split(.otherBuild): self.init("\(error)", hint: "build both again")
        case .split: self.init("\(error)")
        case .kernelFunction:
            self.init(
                "\(path): \(error)",
                hint: "give it the same flags wherever the source lists it with BTF_ID_FLAGS()")
        case .read(.dwarf), .dwarf, .btf, .noDebugInfo, .linkedUnits:
            self.init("\(path): \(error)")
        }
        if case .noDebugInfo = error { subject = .debugInfo }
    }
}

extension Failure {
    /// The message for use after the name of the file, which it may begin with.
    func words(about path: String) -> String {
        let start = path + ": "
        return message.hasPrefix(start) ? String(message.dropFirst(start.count)) : message
    }

    /// The file is the module with the kernel's BTF.
    static func holdsKernelBTF(_ path: String) -> Failure {
        Failure(
            "\(path): this module holds the kernel's own BTF, not a module's",
            hint: "use it as a base: --base \(path)")
    }
}
