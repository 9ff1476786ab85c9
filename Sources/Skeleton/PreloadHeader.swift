// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CEmit

/// A light skeleton whose header brings the methods to preload it (`kbtf gen skeleton -L -P`). The methods are the
/// kernel's alone; in user space the header is a light skeleton as others are.
///
/// A comment in it says what it holds, so that a module can be made around it without a parser for C.
package struct PreloadHeader: Sendable, Equatable {
    /// All of the header.
    package let text: String
    /// What its comment says.
    package let manifest: ModuleManifest
    /// The object's license.
    package let license: String

    private static let opening = "/* kbtf-preload-header 1"
    private static let closing = " */"

    /// - Parameter plan: with mode `preload`.
    package init(_ plan: ModulePlan, manifest: ModuleManifest) {
        var c = CWriter()
        c.directive("#ifdef __KERNEL__")
        c.line()
        PreloadMethods(plan: plan).write(&c)
        c.line()
        c.directive("#endif /* __KERNEL__ */")
        var lines = [Self.opening, "license\t\(plan.license)"]
        lines += manifest.text.split(separator: "\n").filter { $0.utf8.first != 0x23 }.map(
            Self.commented)
        text = plan.skeleton.header(
            methods: lines.joined(separator: "\n") + "\n" + Self.closing + "\n\n" + c.text)
        self.manifest = manifest
        license = plan.license
    }

    /// A line of the manifest without the end of a comment in it: a section may have any name. By scalars, because a
    /// slash and a mark that combines with it are one Character, and the end of a comment all the same.
    private static func commented(_ line: Substring) -> String {
        var text = ""
        var isAfterStar = false
        for scalar in line.unicodeScalars {
            if isAfterStar, scalar == "/" {
                text += "\\x2f"
            } else {
                text.unicodeScalars.append(scalar)
            }
            isAfterStar = scalar == "*"
        }
        return text
    }

    /// Of a file.
    /// - Throws: when it is none that `kbtf gen skeleton -L -P` wrote.
    package init(parsing text: String) throws(ModuleError) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        guard let start = lines.firstIndex(of: Self.opening[...]) else {
            throw ModuleError(
                "neither a BPF object nor a header of kbtf gen skeleton -L -P",
                hint: "kbtf gen skeleton -L -P OBJECT > HEADER")
        }
        lines = lines[lines.index(after: start)...]
        guard let end = lines.firstIndex(of: Self.closing[...]) else {
            throw ModuleError("its comment kbtf-preload-header does not end")
        }
        guard let first = lines.first, first.hasPrefix("license\t") else {
            throw ModuleError("its comment kbtf-preload-header tells no license")
        }
        license = String(first.dropFirst("license\t".count))
        self.text = text
        do throws(ManifestError) {
            manifest = try ModuleManifest(
                parsing: lines[lines.index(after: lines.startIndex)..<end].joined(separator: "\n"))
        } catch { throw ModuleError("its comment kbtf-preload-header: \(error)") }
        guard text.hasSuffix("\n#endif /* \(LightSkeleton.headerGuard(manifest.name)) */\n") else {
            throw ModuleError("the end of the header is missing")
        }
        guard manifest.mode == .preload else {
            throw ModuleError("its comment kbtf-preload-header is for another mode")
        }
    }
}
