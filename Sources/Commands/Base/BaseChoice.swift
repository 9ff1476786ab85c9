// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import KernelTree

/// The base that a file needs.
enum BaseChoice: Hashable, Sendable {
    /// No base: standalone BTF.
    case none
    case file(String, bigEndian: Bool)
    /// The kernel's, wherever it is found.
    case auto(KernelRelease, bigEndian: Bool)

    /// The choice of `--base` for a file with this byte order.
    ///
    /// - Parameter own: the release that the file itself names.
    init(
        option: String, path: String, own: KernelRelease?, bigEndian: Bool, search: SearchPlaces
    ) throws(Failure) {
        switch option {
        case "": self = .none
        case "auto":
            guard let release = search.release ?? own else {
                throw Failure(
                    "\(path): --base auto: its kernel is unknown (no vermagic in .modinfo)",
                    hint: "specify the kernel with --release R, or the base with --base FILE")
            }
            self = .auto(release, bigEndian: bigEndian)
        default: self = .file(option, bigEndian: bigEndian)
        }
    }

    /// Reads the base for reading what continues it; nil for none.
    func load(_ search: SearchPlaces) throws(Failure) -> LoadedBase? {
        try load(
            file: { path, bigEndian throws(KernelTreeError) in
                try loadBase(
                    path, bigEndian: bigEndian, cache: search.cache, isForReading: true)
            },
            auto: { release, bigEndian throws(KernelTreeError) in
                try search.search(for: release, bigEndian: bigEndian).run().base
            })
    }

    /// Reads the base for encoding against it; nil for none.
    func loadIndexed(_ search: SearchPlaces, jobs: Int) throws(Failure) -> IndexedBase? {
        try load(
            file: { path, bigEndian throws(KernelTreeError) in
                try loadIndexedBase(
                    path, bigEndian: bigEndian, cache: search.cache, jobs: jobs)
            },
            auto: { release, bigEndian throws(KernelTreeError) in
                let found = try search.search(for: release, bigEndian: bigEndian)
                    .runIndexed(jobs: jobs)
                var base = found.base
                if found.isReleaseVerified { base.kernel = release }
                return base
            })
    }

    private func load<Base>(
        file: (String, Bool) throws(KernelTreeError) -> Base,
        auto: (KernelRelease, Bool) throws(KernelTreeError) -> Base
    ) throws(Failure) -> Base? {
        do throws(KernelTreeError) {
            switch self {
            case .none: return nil
            case .file(let path, let bigEndian):
                return try file(path, bigEndian)
            case .auto(let release, let bigEndian): return try auto(release, bigEndian)
            }
        } catch { throw Failure(error) }
    }
}
