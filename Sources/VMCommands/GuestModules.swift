// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Commands
import Console
import HostIO
import KernelTree
import VM

/// The modules of `--module` for one kernel.
struct GuestModules {
    private(set) var infos: [ModuleInfo] = []

    /// What stands for the kernel's release in the path of a module.
    static let releaseWord = "{release}"

    /// The paths for `kernel`.
    ///
    /// - Throws: for one with `{release}`, if the kernel's is not known.
    static func paths(_ patterns: [String], for kernel: Kernel) throws(VMError) -> [String] {
        try patterns.map { pattern throws(VMError) in
            guard pattern.contains(releaseWord) else { return pattern }
            guard let release = kernel.release?.text else {
                throw VMError("--module \(pattern): the release of \(kernel.path) is not known")
            }
            return pattern.replacing(releaseWord, with: release)
        }
    }

    /// - Throws: if one cannot be read, is refused by the kernel, or cannot be rebased.
    init(
        _ arguments: VMRunArguments, for kernel: Kernel, _ surroundings: Surroundings,
        _ talk: Talk
    ) throws(VMError) {
        let architecture = arguments.anyKernel ? nil : kernel.architecture
        for path in try GuestModules.paths(arguments.module, for: kernel) {
            infos.append(try ModuleInfo(path, for: architecture))
        }
        if !arguments.anyKernel { try kernel.check(infos) }
        guard arguments.rebase else { return }
        for index in infos.indices where infos[index].btf != nil {
            infos[index] = try rebased(infos[index], arguments, kernel, surroundings, talk)
        }
    }

    /// A copy with its BTF on the kernel's.
    private func rebased(
        _ info: ModuleInfo, _ arguments: VMRunArguments, _ kernel: Kernel,
        _ surroundings: Surroundings, _ talk: Talk
    ) throws(VMError) -> ModuleInfo {
        let old = arguments.from ?? oldBase(of: info, kernel, arguments, surroundings)
        let copy: RebasedCopy
        do throws(Failure) {
            copy = try RebasedCopy(of: info.path, onto: kernel.path, from: old, surroundings)
        } catch { throw VMError(error) }
        talk.detail(copy.message)
        // The contents stay mapped when the file is removed.
        return try ModuleInfo(
            copy.path, for: arguments.anyKernel ? nil : kernel.architecture, shownAs: info.path)
    }

    /// The image of the kernel that it was built for; nil if that is this one, or is not found.
    private func oldBase(
        of info: ModuleInfo, _ kernel: Kernel, _ arguments: VMRunArguments,
        _ surroundings: Surroundings
    ) -> String? {
        guard let release = info.release, release != kernel.release else { return nil }
        let roots = surroundings.kernelRoots(arguments.machine.sysroot)
        return try? Kernel(release.text, roots: roots).path
    }
}
