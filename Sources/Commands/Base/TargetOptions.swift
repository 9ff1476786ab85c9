// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Console
import KernelTree

/// The kernel that has to accept the BTF.
struct TargetOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The kernel that has to accept the BTF: a release, a build tree or headers directory, a vmlinux, vmlinuz or raw BTF.",
            valueName: "RELEASE|TREE|FILE"), completion: .file())
    var target: String?

    /// As the user wrote it.
    var name: String { target ?? "" }

    /// nil without the option.
    func find(search: SearchPlaces, talk: Talk) throws(Failure) -> KernelTarget? {
        guard let target else { return nil }
        let found: KernelTarget
        do throws(KernelTreeError) {
            found = try KernelTarget.find(target, cache: search.cache)
        } catch {
            var failure = Failure(error)
            if error.kind == .noTarget {
                failure = failure.reworded("--target \(failure.message)")
            }
            throw failure
        }
        let release = found.release.map { ", release \($0)" } ?? ""
        talk.detail(
            "--target \(target): the rules of \(found.rules)\(release)"
                + (found.isNewerThanKnown
                    ? "; newer than \(TargetRules.newest), the newest known" : ""))
        return found
    }
}
