// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Console
import Diagnosis
import HostIO
import KernelTree

/// What is known of one kernel of a system.
struct SystemKernel: Sendable {
    let root: SystemRoot
    let release: KernelRelease
    /// It is known; otherwise `release` is one that no kernel has.
    let hasRelease: Bool
    let config: KernelConfig?
    /// It is one of the running system's, not of a file or directory.
    var isInstalled: Bool { root.isLive && !isFile }
    private let isFile: Bool
    /// Rules, BTF and settings; nil for a release that is no version.
    let target: KernelTarget?
    /// Why its own BTF was not found.
    let withoutBase: Failure?
    /// The directory that modules are built against, where it should be.
    let headers: String
    /// What it compares modules with.
    let rules: ModuleRules
    /// Its image; nil if none was found.
    let image: String?
    /// It insists on signatures; nil if that is not known.
    let enforcesSignatures: Bool?

    /// Modules whose BTF it refuses load without; nil if that is not known.
    var allowsMismatch: Bool? {
        config?.allowsMismatch ?? target?.allowsMismatch
    }

    /// The BTF that its modules continue; nil if it was not found.
    var base: LoadedBase? { target?.base }

    /// - Parameter readsImage: take from its image what modules and headers do not show.
    init(
        _ release: KernelRelease, in root: SystemRoot, _ search: SearchPlaces,
        readsImage: Bool = false
    ) {
        self.root = root
        self.release = release
        isFile = false
        hasRelease = true
        config =
            KernelConfig.find(release, roots: [root.path])
            ?? (root.isLive && search.surroundings.runningRelease == release.text
                ? SystemKernel.running() : nil)
        headers = root.place("/lib/modules/\(release)/build")
        var found: LoadedBase?
        do throws(KernelTreeError) {
            var search = search.search(for: release, bigEndian: nil)
            search.asBooted = true
            found = try search.run().base
            withoutBase = nil
        } catch { withoutBase = Failure(error) }
        target =
            found.flatMap { [config] base in
                KernelTarget(release, base: base, allowsMismatch: config?.allowsMismatch)
            } ?? KernelTarget(release)
        image = KernelImage.places(of: release).lazy.map { root.place("/" + $0) }
            .first { FileStatus($0).isRegular }
        rules = ModuleRules(
            release, modules: root.modules(of: release), headers: headers,
            image: readsImage ? image : nil)
        enforcesSignatures = SystemKernel.enforcement(
            config, isRunning: root.isLive && search.surroundings.runningRelease == release.text,
            root)
    }

    /// A kernel of which there is only a file, with its BTF or its headers.
    init(_ target: KernelTarget, _ path: String) {
        self.target = target
        isFile = true
        root = SystemRoot("/")
        release = target.release ?? KernelRelease("0.0")!
        hasRelease = target.release != nil
        config = nil
        withoutBase =
            target.base == nil ? Failure("\(path): it has no BTF") : nil
        headers = path
        let isImage = (try? FileReader.map(path)).flatMap { KernelImage($0) } != nil
        image = isImage ? path : nil
        rules = ModuleRules(
            target.release, modules: nil, headers: path,
            image: FileStatus(path).isRegular ? path : nil)
        enforcesSignatures = nil
    }

    /// `/proc/config.gz`
    private static func running() -> KernelConfig? {
        guard let view = try? PackedFile.read("/proc/config.gz", unpacking: { $0.isSupported })
        else { return nil }
        return KernelConfig(
            path: "/proc/config.gz", text: String(decoding: view.array, as: UTF8.self))
    }

    private static func enforcement(
        _ config: KernelConfig?, isRunning: Bool, _ root: SystemRoot
    ) -> Bool? {
        if config?["CONFIG_MODULE_SIG_FORCE"] == "y" { return true }
        guard isRunning else { return nil }
        if root.text("/sys/module/module/parameters/sig_enforce", atMost: 64)?.first == "Y" {
            return true
        }
        guard let text = root.text("/sys/kernel/security/lockdown", atMost: 256) else {
            return false
        }
        // `none [integrity] confidentiality`
        return !text.contains("[none]")
    }

    /// Kernel builds find the BTF that modules continue.
    var headersHaveBase: Bool { FileStatus(headers + "/vmlinux").isRegular }

    /// Installs the kernel's own modules again.
    var reinstall: Cure {
        let installer = root.installer
        return Cure(installer.reinstall(installer.kernel(release)))
    }
}
