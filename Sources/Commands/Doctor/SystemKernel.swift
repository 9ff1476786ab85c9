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
    /// Rules, BTF and settings; nil for a release that is no version.
    let target: KernelTarget?
    /// Why its own BTF was not found.
    let withoutBase: Failure?
    let symbols: SymbolVersions?
    /// The directory that modules are built against, where it should be.
    let headers: String
    /// `vermagic=` of its own modules; nil if none was found.
    let vermagic: String?
    /// It insists on signatures; nil if that is not known.
    let enforcesSignatures: Bool?

    /// Modules whose BTF it refuses load without; nil if that is not known.
    var allowsMismatch: Bool? {
        config?.allowsMismatch ?? target?.allowsMismatch
    }

    /// The BTF that its modules continue; nil if it was not found.
    var base: LoadedBase? { target?.base }

    init(_ release: KernelRelease, in root: SystemRoot, _ search: SearchPlaces) {
        self.root = root
        self.release = release
        hasRelease = true
        config =
            KernelConfig.find(release, roots: [root.path])
            ?? (root.isLive && search.surroundings.runningRelease == release.text
                ? SystemKernel.running() : nil)
        headers = root.place("/lib/modules/\(release)/build")
        symbols = SymbolVersions.read(headers + "/Module.symvers")
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
        vermagic = root.modules(of: release).flatMap { SystemKernel.vermagic(below: $0) }
        enforcesSignatures = SystemKernel.enforcement(
            config, isRunning: root.isLive && search.surroundings.runningRelease == release.text,
            root)
    }

    /// A kernel of which there is only a file, with its BTF or its headers.
    init(_ target: KernelTarget, _ path: String) {
        self.target = target
        root = SystemRoot("/")
        release = target.release ?? KernelRelease("0.0")!
        hasRelease = target.release != nil
        config = nil
        withoutBase =
            target.base == nil ? Failure("\(path): it has no BTF") : nil
        symbols = nil
        headers = path
        vermagic = nil
        enforcesSignatures = nil
    }

    /// `/proc/config.gz`
    private static func running() -> KernelConfig? {
        guard let view = try? PackedFile.read("/proc/config.gz", unpacking: { $0.isSupported })
        else { return nil }
        return KernelConfig(
            path: "/proc/config.gz", text: String(decoding: view.array, as: UTF8.self))
    }

    /// Of the first of the kernel's own modules that can be read.
    private static func vermagic(below folder: String) -> String? {
        var pending = [folder + "/kernel"]
        var tries = 0
        while let place = pending.popLast(), tries < 64 {
            for name in ((try? Directory.list(place)) ?? []).reversed() {
                let path = place + "/" + name
                if Inputs.installedSuffixes.contains(where: { name.hasSuffix($0) }) {
                    tries += 1
                    if let view = try? PackedFile.read(path), let elf = try? openELF(view, path),
                        let found = Modinfo(elf)?["vermagic"]
                    {
                        return found
                    }
                } else if FileStatus(path, followLinks: false).isDirectory {
                    pending.append(path)
                }
            }
        }
        return nil
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
