// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import KernelTree

/// A kernel whose types are asked for: a release that is found on this machine, a file, or a build
/// tree.
struct KernelChoice {
    /// The option that names it, for messages.
    let option: String
    /// nil: the module's kernel, or the running one.
    let name: String?

    init(_ option: String, _ name: String?) {
        self.option = option
        self.name = name
    }

    /// - Parameter own: the kernel of the module that is looked at.
    func load(
        for own: KernelRelease? = nil, _ places: SearchPlaces
    ) throws(Failure) -> LoadedBase {
        let nothing = Failure(
            "no kernel is named", hint: "\(option) vmlinux, or the kernel's image")
        let running = places.surroundings.runningRelease.flatMap { KernelRelease($0) }
        guard let name else {
            guard let release = places.release ?? own ?? running,
                let base = try BaseChoice.auto(release, bigEndian: false).load(places)
            else { throw nothing }
            return base
        }
        if let release = KernelRelease(name), release.version != nil {
            do throws(Failure) {
                guard let base = try BaseChoice.auto(release, bigEndian: false).load(places) else {
                    throw nothing
                }
                return base
            } catch {
                var failure = error.reworded(
                    "\(option) \(name): no kernel of this release is found")
                failure.hint = "name the kernel's vmlinux or image with \(option)"
                throw failure
            }
        }
        let found: KernelTarget
        do throws(KernelTreeError) {
            found = try KernelTarget.find(name, cache: places.cache)
        } catch { throw Failure(error) }
        guard let base = found.base else {
            throw Failure(
                "\(option) \(name): this tree has no vmlinux with BTF",
                hint: "name the kernel's vmlinux, or its image, with \(option)")
        }
        return base
    }
}
