// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import HostIO

/// What the person who runs make says of the base, over the kernel's build scripts:
/// `make BTF_BASE=` for standalone BTF, `make BTF_BASE=FILE` for another base.
///
/// 6.1 and 6.12 hand make's variables on in the environment. 7.2's `gen-btf.sh` puts the build's own base into
/// a shell variable of this name, and so into the environment once there is one; there `MAKEFLAGS` still
/// has what was said. `KBTF_BASE` means the same, comes through everywhere and wins.
enum BaseOverride {
    /// Nothing was said: what the build asks for counts.
    case unsaid
    /// No base, and none to distill.
    case standalone
    case file(String)

    /// The base to use, given the one that the build asks for. A build that asks for none (of a vmlinux)
    /// gets none.
    ///
    /// - Throws: see `current`.
    static func base(insteadOf asked: String?) throws(Failure) -> String? {
        guard let asked else { return nil }
        return switch try current() {
        case .unsaid: asked
        case .standalone: nil
        case .file(let path): path
        }
    }

    /// What the surroundings of the process say.
    ///
    /// - Throws: for a value that names no file for sure.
    private static func current() throws(Failure) -> BaseOverride {
        if let value = Surroundings.variableEvenEmpty("KBTF_BASE") {
            return try BaseOverride("KBTF_BASE", value)
        }
        // Only 7.2 and later export this, to both programs, empty or not.
        let isClobbered = Surroundings.variableEvenEmpty("RESOLVE_BTFIDS_FLAGS") != nil
        if !isClobbered, let value = Surroundings.variableEvenEmpty("BTF_BASE") {
            return try BaseOverride("BTF_BASE", value)
        }
        let flags = MakeFlags(Surroundings.variable("MAKEFLAGS") ?? "")
        guard let value = flags["BTF_BASE"] else { return .unsaid }
        guard value.isExpanded else {
            throw Failure(
                "BTF_BASE: make hands '\(value.text)' on without its variables' values",
                hint: "write the path itself, or set KBTF_BASE= instead")
        }
        return try BaseOverride("BTF_BASE", value.text)
    }

    /// - Parameter value: nothing, a file, or `--btf_base FILE`.
    private init(_ name: String, _ value: String) throws(Failure) {
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
        // Builds of modules work in several folders; people stand in that of the module.
        if path.first != "/", let folder = Surroundings.variable("KBUILD_EXTMOD") {
            path = folder + "/" + path
        }
        guard FileStatus(String(path)).exists else {
            throw Failure(
                "\(path): no such file, which \(name) names as the base",
                hint: "give the whole path of a vmlinux, a vmlinuz or raw BTF")
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
