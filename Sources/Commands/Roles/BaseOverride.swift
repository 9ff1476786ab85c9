// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import HostIO

/// The base that the user of make requests, overriding the kernel's build scripts: `make BTF_BASE=`
/// for standalone BTF, `make BTF_BASE=FILE` for another base.
///
/// 6.1 and 6.12 pass make's variables on in the environment. 7.2's `gen-btf.sh` stores the build's
/// own base in a shell variable with this name, and so in the environment if it is there;
/// `MAKEFLAGS` still has the user's value. `KBTF_BASE` means the same, works everywhere and takes
/// precedence.
enum BaseOverride {
    /// Nothing was requested: the build's base is used.
    case unsaid
    /// No base, and none to distill.
    case standalone
    case file(String)

    /// The base to use, given the one that the build names. A build without a base (of a vmlinux)
    /// gets none.
    ///
    /// - Throws: see `current`.
    static func base(
        insteadOf asked: String?, _ surroundings: Surroundings
    ) throws(Failure) -> String? {
        guard let asked else { return nil }
        return switch try current(surroundings) {
        case .unsaid: asked
        case .standalone: nil
        case .file(let path): path
        }
    }

    /// Whether the user chose the base, so that modules say which it is. The kernel's makefiles may
    /// have heeded that already (kbuild/patches): then they name no base for standalone BTF.
    static func isChosen(insteadOf asked: String?, _ surroundings: Surroundings) -> Bool {
        switch try? current(surroundings) {
        case nil, .unsaid?: false
        case .standalone?: true
        case .file?: asked != nil
        }
    }

    /// The request in the environment of the process.
    ///
    /// - Throws: for a value that does not clearly name a file.
    private static func current(_ surroundings: Surroundings) throws(Failure) -> BaseOverride {
        if let value = surroundings.environment("KBTF_BASE") {
            return try BaseOverride("KBTF_BASE", value, surroundings)
        }
        // Only 7.2 and later export this, to both programs, possibly empty.
        let isClobbered = surroundings.environment("RESOLVE_BTFIDS_FLAGS") != nil
        if !isClobbered, let value = surroundings.environment("BTF_BASE") {
            return try BaseOverride("BTF_BASE", value, surroundings)
        }
        let flags = MakeFlags(surroundings.variable("MAKEFLAGS") ?? "")
        guard let value = flags["BTF_BASE"] else { return .unsaid }
        guard value.isExpanded else {
            throw Failure(
                "BTF_BASE: make passes '\(value.text)' on without expanding its variables",
                hint: "write the path itself, or set KBTF_BASE= instead")
        }
        return try BaseOverride("BTF_BASE", value.text, surroundings)
    }

    /// - Parameter value: empty, a file, or `--btf_base FILE`.
    private init(
        _ name: String, _ value: String, _ surroundings: Surroundings
    ) throws(Failure) {
        let prefix = "--btf_base"
        var path = BaseOverride.trimmed(value[...])
        if path.hasPrefix(prefix) {
            let rest = path.dropFirst(prefix.count)
            guard rest.isEmpty || rest.first == "=" || BaseOverride.isBlank(rest.first) else {
                throw Failure("\(name): neither a file nor --btf_base FILE: \(value)")
            }
            path = BaseOverride.trimmed(rest.first == "=" ? rest.dropFirst() : rest)
        }
        guard !path.isEmpty else {
            self = .standalone
            return
        }
        // Module builds change directories; users mean the module's.
        if path.first != "/", let folder = surroundings.variable("KBUILD_EXTMOD") {
            path = folder + "/" + path
        }
        guard FileStatus(String(path)).exists else {
            throw Failure(
                "\(path): no such file, given as the base in \(name)",
                hint: "use the absolute path of a vmlinux, a vmlinuz or raw BTF")
        }
        self = .file(String(path))
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop(while: isBlank)
        while isBlank(text.last) { text.removeLast() }
        return text
    }

    private static func isBlank(_ character: Character?) -> Bool {
        character == " " || character == "\t"
    }
}
