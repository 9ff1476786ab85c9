// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import HostIO
import KernelTree

/// The kernels that `--kernel` names.
struct MatrixKernels {
    struct Named {
        /// In the table. Different for each.
        fileprivate(set) var name: String
        /// The option that named it.
        fileprivate var argument = ""
        let system: SystemKernel
        let search: SearchPlaces

        /// What `kbtf vm` boots: its image, or for this system, which may have it elsewhere, its
        /// release. nil if there is no image.
        var bootable: String? {
            system.image ?? (system.hasRelease && system.isInstalled ? system.release.text : nil)
        }
    }

    private(set) var kernels: [Named] = []
    /// What it unpacked for this run is removed with it.
    private let cache: PackageCache
    private let surroundings: Surroundings

    /// - Parameter names: finds packages that are named.
    init(
        _ arguments: [String], sysroots: [String], _ names: PackageNames,
        _ surroundings: Surroundings
    ) throws(Failure) {
        self.surroundings = surroundings
        cache = PackageCache(surroundings)
        // Several packages may be one kernel, which is where the first of them is.
        var files: [String] = []
        for argument in arguments
        where !files.contains(argument) && PackageContents.isOne(argument) {
            files.append(argument)
        }
        var hasFiles = false
        var seen: Set<String> = []
        for argument in arguments where seen.insert(argument).inserted {
            let before = kernels.count
            let status = FileStatus(argument)
            if !status.exists, let release = KernelRelease(argument), release.version != nil {
                try add(release, sysroots: sysroots)
            } else if status.isDirectory {
                try add(folder: argument)
            } else if files.contains(argument) {
                if !hasFiles { try add(packages: files) }
                hasFiles = true
            } else if !status.exists, PackageNames.isOne(argument) {
                try add(
                    try cache.kernels(in: names.files(of: argument), among: true), argument)
            } else {
                try add(file: argument)
            }
            for index in kernels.indices[before...] { kernels[index].argument = argument }
        }
        let names = distinctNames(kernels.map { ($0.name, $0.argument) })
        for index in kernels.indices { kernels[index].name = names[index] }
    }

    /// An installed kernel, here or below a root.
    private mutating func add(_ release: KernelRelease, sysroots: [String]) throws(Failure) {
        let roots = (["/"] + sysroots + surroundings.sysroots).map { SystemRoot($0) }
        guard let root = roots.first(where: { $0.modules(of: release) != nil }) else {
            throw Failure(
                "--kernel \(release): no modules of this kernel below "
                    + roots.map(\.path).joined(separator: ", "),
                hint: "specify its package, or its image, with --kernel FILE")
        }
        add(release, in: root, named: release.text)
    }

    private mutating func add(_ release: KernelRelease, in root: SystemRoot, named name: String) {
        var search = SearchPlaces(surroundings)
        if !root.isLive { search.root = root.path }
        kernels.append(
            Named(
                name: name, system: SystemKernel(release, in: root, search, readsImage: true),
                search: search))
    }

    /// A system, or packages, each a kernel of its own.
    private mutating func add(folder: String) throws(Failure) {
        let root = SystemRoot(folder)
        let releases = root.releases
        if !releases.isEmpty {
            for release in releases { add(release, in: root, named: release.text) }
            return
        }
        let found = PackageCache.packages(in: folder)
        guard !found.isEmpty else {
            throw Failure("--kernel \(folder): neither packages nor lib/modules in this directory")
        }
        try add(packages: found)
    }

    private mutating func add(packages: [String]) throws(Failure) {
        let found: [PackageCache.Kernel]
        do throws(Failure) { found = try cache.kernels(in: packages) } catch {
            throw error.reworded("--kernel \(error.message)")
        }
        try add(found, packages[0])
    }

    private mutating func add(
        _ found: [PackageCache.Kernel], _ argument: String
    ) throws(Failure) {
        guard !found.isEmpty else {
            throw Failure("--kernel \(argument): no kernel in this package")
        }
        for kernel in found {
            // Two builds of one release differ by the names of their packages.
            let isOnly = found.count { $0.release == kernel.release } == 1
            add(
                kernel.release, in: SystemRoot(kernel.root),
                named: isOnly ? kernel.release.text : kernel.sources[0])
        }
    }

    private mutating func add(file: String) throws(Failure) {
        let search = SearchPlaces(surroundings)
        do throws(KernelTreeError) {
            let target = try KernelTarget.find(file, cache: search.cache)
            kernels.append(
                Named(
                    name: target.release?.text ?? file, system: SystemKernel(target, file),
                    search: search))
        } catch { throw Failure(error).reworded("--kernel \(Failure(error).message)") }
    }
}
