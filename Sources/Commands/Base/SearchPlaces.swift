// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import KernelTree

/// Where bases are searched and cached, as options and surroundings say.
struct SearchPlaces: Sendable {
    let surroundings: Surroundings
    /// `--release`
    let release: KernelRelease?
    /// Directories besides `/` where kernels and their debug files may be.
    let folders: [String]
    /// nil: bases are not cached.
    let cache: BaseCache?
    /// The one system to search instead of this one and the directories.
    var root: String?

    /// - Parameter sysroots: directories to search before those of the environment.
    init(
        _ surroundings: Surroundings, release: KernelRelease? = nil, sysroots: [String] = [],
        usesCache: Bool = true
    ) {
        self.surroundings = surroundings
        self.release = release
        folders = sysroots + surroundings.sysroots
        cache =
            usesCache ? surroundings.baseCacheFolder.map { BaseCache(directory: $0) } : nil
    }

    /// The search for the base of one release.
    func search(for release: KernelRelease, bigEndian: Bool?) -> BaseSearch {
        var search = BaseSearch(
            release: release,
            roots: root.map { [$0] }
                ?? ["/"] + folders + (surroundings.cachedKernels?.roots(for: release) ?? []),
            running: root == nil ? surroundings.runningRelease.flatMap { KernelRelease($0) } : nil,
            bigEndian: bigEndian, cache: cache)
        if let named = surroundings.baseSwitch {
            search.option = named
            search.alternative =
                "KBTF_WITHOUT_BASE=skip builds without BTF, KBTF_WITHOUT_BASE=standalone with BTF for tools"
        }
        return search
    }
}
