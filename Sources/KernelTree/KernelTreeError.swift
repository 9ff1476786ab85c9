// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import HostIO

/// Why a kernel file gave no BTF.
package struct KernelTreeError: Error, Equatable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// The system refused.
        case host(HostError)
        /// The file is readable and whole, and holds no BTF.
        case noBTF
        /// The file, or the BTF in it, is broken or cut short.
        case damaged
        /// Compressed in a way that is not read here.
        case unsupported
        /// BTF that cannot be a base: a module's split BTF, or no types at all.
        case notABase
        /// BTF of the other byte order than wanted.
        case wrongByteOrder
        /// The search for a base looked at everything and found none.
        case noBaseFound
        /// What was named as the target is no kernel, or one of before BTF.
        case noTarget
    }

    package let kind: Kind
    /// The file as the caller named it.
    package let path: String
    /// What is wrong, without the path.
    package let message: String
    /// More about it, a line each: what was tried before.
    package let details: [String]
    /// What to do about it: what a front end prints behind `hint: `.
    package let hint: String?

    package init(
        _ kind: Kind, path: String, _ message: String, details: [String] = [], hint: String? = nil
    ) {
        self.kind = kind
        self.path = path
        self.message = message
        self.details = details
        self.hint = hint
    }

    init(_ error: HostError) {
        self.init(
            .host(error), path: error.path,
            "cannot \(error.operation): \(HostError.text(of: error.errno))")
    }

    /// `vmlinux: no BTF found: ELF: no .BTF section; expected ...`
    package var description: String {
        kind == .noBTF ? "\(path): \(message); \(KernelTreeError.expected)" : "\(path): \(message)"
    }

    private static let expected =
        "expected a vmlinux or vmlinuz of a kernel with CONFIG_DEBUG_INFO_BTF=y, or raw BTF"
}
