// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
import HostIO

/// The kernel that BTF is meant for, and what it takes.
package struct KernelTarget: Sendable {
    package let rules: TargetRules
    /// nil when only its BTF tells of it.
    package let release: KernelRelease?
    /// Its own BTF, where that was found.
    package let base: LoadedBase?
    /// Whether a module whose BTF it refuses is loaded without; nil where no configuration tells.
    package let allowsMismatch: Bool?

    /// `Linux 6.1`.
    package var description: String { rules.description }

    /// Newer than all releases whose rules are known.
    package var isNewerThanKnown: Bool { rules.version.map { $0 > TargetRules.newest } ?? false }

    /// - Parameter allowsMismatch: what the kernel's configuration says, where it is known.
    private init(
        _ rules: TargetRules, release: KernelRelease?, base: LoadedBase? = nil,
        allowsMismatch: Bool? = nil
    ) {
        self.rules = rules
        self.release = release
        self.base = base
        self.allowsMismatch = rules.has(.toleratesMismatch) ? allowsMismatch : false
    }

    /// The kernel of this release; nil when it says no version, or one without rules.
    package init?(_ release: KernelRelease) {
        guard let version = release.version.map({ KernelVersion($0.major, $0.minor) }),
            let rules = TargetRules(version)
        else { return nil }
        self.init(rules, release: release)
    }

    /// Reads what `--target` takes: a release, a build tree or headers folder, or a file that has the
    /// kernel's BTF (whatever `loadBase` reads). What looks like a release is one; a file of such a name
    /// is written with its folder, `./6.1`.
    ///
    /// - Throws: `KernelTreeError`: of kind `.noTarget` where it is none of these, or too old.
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
                "no kernel: neither a release such as 6.1, nor a file, nor a folder")
        }
        let base = try loadBase(text, cache: cache)
        // The stub of a headers package has no banner; its tree knows.
        let folder = text.lastIndex(of: "/").map { String(text[..<$0]) } ?? "."
        return try KernelTarget(
            base.release ?? KernelRelease.ofTree(folder), named: text, base: base,
            allowsMismatch: nil)
    }

    private static func inTree(
        _ folder: String, cache: BaseCache?
    ) throws(KernelTreeError) -> KernelTarget {
        // Given /lib/modules/R, what is meant is the tree it was built in.
        for tree in [folder, folder + "/build"] {
            guard let release = KernelRelease.ofTree(tree) else { continue }
            // They show what a distribution brought to an older release; many headers have no vmlinux.
            let vmlinux = tree + "/vmlinux"
            let base = FileStatus(vmlinux).isRegular ? try? loadBase(vmlinux, cache: cache) : nil
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
            "no kernel's build tree: it has neither include/config/kernel.release nor include/generated/utsrelease.h",
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
        guard let rules else {
            throw KernelTreeError(
                .noTarget, path: name,
                "Linux \(version?.description ?? "?") takes no BTF with variables: "
                    + "\(TargetRules.oldest) is the oldest target")
        }
        self.init(rules, release: release, base: base, allowsMismatch: allowsMismatch)
    }
}
