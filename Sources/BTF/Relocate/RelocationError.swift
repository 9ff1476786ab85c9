// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Why distilled BTF cannot be relocated onto a base. The rules and their messages are the
/// kernel's, which refuses the same (lib/bpf's `btf_relocate`, Linux 6.11 and later).
package struct RelocationError: Error, Equatable, CustomStringConvertible {
    package enum Rule: String, Sendable, CaseIterable {
        /// A distilled base contains only INT, FLOAT, ENUM, STRUCT, UNION and FWD.
        case kind = "D1"
        /// All of its types have names.
        case name = "D2"
        /// Each of them is in the base: D3, D4 and D5 define what matches.
        case unmapped = "D6"
        /// No two types of the base match.
        case ambiguous = "D7"
        /// Every string of the distilled base in use is the name of one of its types.
        case string = "D8"
        /// No name in the base is void's, the empty one.
        case void = "D9"
    }

    /// Where the fault is.
    package enum Place: Sendable { case distilledBase, split, base }

    /// nil: the BTF itself is damaged.
    package let rule: Rule?
    package let place: Place
    /// Bytes from the start of the BTF named by `place`.
    package let offset: Int
    package let message: String

    init(_ rule: Rule, in place: Place, offset: Int, _ message: String) {
        self.rule = rule
        self.place = place
        self.offset = offset
        self.message = message
    }

    init(_ error: BTFError, in place: Place) {
        rule = nil
        self.place = place
        offset = error.offset
        message = error.message
    }

    /// As for `BTFError`: callers prepend the file and section.
    package var description: String {
        "+0x" + String(offset, radix: 16) + ": " + (rule.map { "\($0.rawValue): " } ?? "") + message
    }
}
