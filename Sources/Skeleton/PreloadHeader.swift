// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CEmit

/// A light skeleton whose header contains the methods to preload it (`kbtf gen skeleton -L -P`).
/// Only the kernel sees the methods; in user space the header is an ordinary light skeleton.
///
/// A comment in it describes its contents, so that a module can be built around it without a C
/// parser.
package struct PreloadHeader: Sendable, Equatable {
    /// The whole header.
    package let text: String
    /// The manifest in its comment.
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

    /// A line of the manifest without the end of a comment: a section may have any name. By
    /// scalars, because a slash and a combining mark are one Character and still end a comment.
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

    /// Parses a file.
    ///
    /// - Throws: if it was not written by `kbtf gen skeleton -L -P`.
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
            throw ModuleError("its comment kbtf-preload-header names no license")
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

    /// The source of a module that includes the header, a file in its directory.
    package func moduleText(including file: String) -> String {
        ModuleSource(name: manifest.name, license: license).textForPreloadHeader(file)
    }
}
