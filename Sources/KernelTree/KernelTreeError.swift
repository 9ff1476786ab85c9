// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import HostIO

/// Why no BTF could be read from a kernel file.
package struct KernelTreeError: Error, Equatable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// A system call failed.
        case host(HostError)
        /// The file is readable and complete, but contains no BTF.
        case noBTF
        /// The file, or the BTF in it, is damaged or truncated.
        case damaged
        /// The compression is not supported.
        case unsupported
        /// BTF that cannot be a base: a module's split BTF, or no types at all.
        case notABase
        /// BTF with another byte order than required.
        case wrongByteOrder
        /// The search for a base tried every place and found none.
        case noBaseFound
        /// The given target is not a kernel, or one that predates BTF.
        case noTarget
    }

    package let kind: Kind
    /// The file as the caller named it.
    package let path: String
    /// What is wrong, without the path.
    package let message: String
    /// Further information, one line each: what was tried before.
    package let details: [String]
    /// The remedy: what a front end prints after `hint: `.
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
