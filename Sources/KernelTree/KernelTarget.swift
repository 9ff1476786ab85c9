// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
import HostIO

/// The kernel that the BTF is meant for, and what it accepts.
package struct KernelTarget: Sendable {
    package let rules: TargetRules
    /// nil if only its BTF is known.
    package let release: KernelRelease?
    /// Its own BTF, if it was found.
    package let base: LoadedBase?
    /// Whether it loads a module without BTF if it refuses the BTF; nil without a configuration.
    package let allowsMismatch: Bool?

    /// `Linux 6.1`.
    package var description: String { rules.description }

    /// Newer than all releases with known rules.
    package var isNewerThanKnown: Bool { rules.version.map { $0 > TargetRules.newest } ?? false }

    /// - Parameter allowsMismatch: the setting in the kernel's configuration, if known.
    private init(
        _ rules: TargetRules, release: KernelRelease?, base: LoadedBase? = nil,
        allowsMismatch: Bool? = nil
    ) {
        self.rules = rules
        self.release = release
        self.base = base
        self.allowsMismatch = rules.has(.toleratesMismatch) ? allowsMismatch : false
    }

    /// The kernel with this release; nil if it has no version, or one without rules.
    package init?(_ release: KernelRelease) {
        guard let version = release.version.map({ KernelVersion($0.major, $0.minor) }),
            let rules = TargetRules(version)
        else { return nil }
        self.init(release.takesDots ? rules.granting([.dottedNames]) : rules, release: release)
    }

    /// The kernel with this release and this BTF of its own; nil for one that is too old.
    package init?(_ release: KernelRelease, base: LoadedBase, allowsMismatch: Bool?) {
        guard
            let target = try? KernelTarget(
                release, named: release.text, base: base, allowsMismatch: allowsMismatch)
        else { return nil }
        self = target
    }

    /// Interprets the value of `--target`: a release, a build tree or headers directory, or a file
    /// with the kernel's BTF (anything that `loadBase` reads). Text that looks like a release is
    /// one; write a file with such a name with its directory, `./6.1`.
    ///
    /// - Throws: `KernelTreeError`, of kind `.noTarget` if it is none of these, or too old.
    package static func find(
        _ text: String, cache: BaseCache? = nil
    ) throws(KernelTreeError) -> KernelTarget {
        if let release = KernelRelease(text), release.version != nil {
            return try KernelTarget(release, named: text, base: nil, allowsMismatch: nil)
        }
        let status = FileStatus(text)
        if status.isDirectory { return try inTree(text, cache: cache) }
        guard status.exists else {
            throw KernelTreeError(
                .noTarget, path: text,
                "not a kernel: neither a release such as 6.1, nor a file or directory")
        }
        let base = try loadBase(text, cache: cache, isForReading: true)
        // The stub in a headers package has no banner; its tree names the release.
        let folder = text.lastIndex(of: "/").map { String(text[..<$0]) } ?? "."
        return try KernelTarget(
            base.release ?? KernelRelease.ofTree(folder), named: text, base: base,
            allowsMismatch: nil)
    }

    private static func inTree(
        _ folder: String, cache: BaseCache?
    ) throws(KernelTreeError) -> KernelTarget {
        // /lib/modules/R stands for the tree it was built in.
        for tree in [folder, folder + "/build"] {
            guard let release = KernelRelease.ofTree(tree) else { continue }
            // They show what a distribution backported to an older release; many headers have no
            // vmlinux.
            let vmlinux = tree + "/vmlinux"
            let base =
                FileStatus(vmlinux).isRegular
                ? try? loadBase(vmlinux, cache: cache, isForReading: true) : nil
            let header = base == nil ? KernelTreePlace(tree).listedKinds?.evidence : nil
            let config =
                KernelConfig.read(tree + "/include/config/auto.conf")
                ?? KernelConfig.read(tree + "/.config")
            return try KernelTarget(
                release, named: folder, base: base, header: header,
                allowsMismatch: config?.allowsMismatch)
        }
        throw KernelTreeError(
            .noTarget, path: folder,
            "not a kernel build tree: it has neither include/config/kernel.release nor include/generated/utsrelease.h",
            hint: "name the kernel's release instead")
    }

    private init(
        _ release: KernelRelease?, named name: String, base: LoadedBase?,
        header: TargetEvidence? = nil, allowsMismatch: Bool?
    ) throws(KernelTreeError) {
        let version = release?.version.map { KernelVersion($0.major, $0.minor) }
        let rules: TargetRules?
        if let evidence = base.map({ TargetEvidence($0.btf) }) ?? header {
            rules = TargetRules(version, evidence)
        } else {
            rules = version.flatMap { TargetRules($0) }
        }
        guard var rules else {
            throw KernelTreeError(
                .noTarget, path: name,
                "Linux \(version?.description ?? "?") does not accept BTF with variables: "
                    + "\(TargetRules.oldest) is the oldest target")
        }
        if release?.takesDots == true { rules = rules.granting([.dottedNames]) }
        self.init(rules, release: release, base: base, allowsMismatch: allowsMismatch)
    }
}

extension KernelRelease {
    /// A stable release of 6.1 that takes dots in names, by its third number: 6.1.36 and later.
    /// Debian's, which have a number of their own instead, from 6.1.0-10 on.
    fileprivate var takesDots: Bool {
        let parts = text.split(whereSeparator: { $0 == "." || $0 == "-" })
        guard parts.count > 2, parts[0] == "6", parts[1] == "1", let third = Int(parts[2]) else {
            return false
        }
        guard third == 0 else { return third >= 36 }
        guard parts.count > 3, let build = Int(parts[3]) else { return false }
        return build >= 10 && build < 1000
    }
}
