// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Why a file is not accepted as a BPF object: what was found, where, and the remedy.
package struct BPFObjectError: Error, Equatable, CustomStringConvertible {
    /// The file as the caller named it.
    package let file: String
    /// The section with the problem, if any.
    package let section: String?
    /// Bytes from the start of the section, if known.
    package let offset: Int?
    package let message: String
    /// What the author of the object can do.
    package let hint: String?

    package init(
        file: String, section: String? = nil, offset: Int? = nil, _ message: String,
        hint: String? = nil
    ) {
        self.file = file
        self.section = section
        self.offset = offset
        self.message = message
        self.hint = hint
    }

    /// `policy.bpf.o: .maps+0x20: ...`
    package var description: String {
        var place = file
        if let section {
            place += ": " + section
            if let offset { place += "+0x" + String(offset, radix: 16) }
        }
        return place + ": " + message
    }
}
