// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import HostIO
import KernelTree

/// The kernels that `--kernel` names.
struct MatrixKernels {
    struct Named {
        /// In the table.
        let name: String
        let system: SystemKernel
        let search: SearchPlaces
    }

    private(set) var kernels: [Named] = []
    /// Removed with this value.
    private var packages: [UnpackedPackages] = []
    private let surroundings: Surroundings

    init(
        _ arguments: [String], sysroots: [String], _ surroundings: Surroundings
    ) throws(Failure) {
        self.surroundings = surroundings
        for argument in arguments {
            let status = FileStatus(argument)
            if !status.exists, let release = KernelRelease(argument), release.version != nil {
                try add(release, sysroots: sysroots)
            } else if status.isDirectory {
                try add(folder: argument)
            } else if UnpackedPackages.isOne(argument) {
                try add(packages: [argument], named: argument)
            } else {
                try add(file: argument)
            }
        }
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
            Named(name: name, system: SystemKernel(release, in: root, search), search: search))
    }

    /// A system, or packages, each a kernel of its own.
    private mutating func add(folder: String) throws(Failure) {
        let root = SystemRoot(folder)
        let releases = root.releases
        if !releases.isEmpty {
            for release in releases { add(release, in: root, named: release.text) }
            return
        }
        let found = root.list("/").map { folder + "/" + $0 }.filter { UnpackedPackages.isOne($0) }
        guard !found.isEmpty else {
            throw Failure("--kernel \(folder): neither packages nor lib/modules in this directory")
        }
        for package in found { try add(packages: [package], named: package) }
    }

    private mutating func add(packages paths: [String], named name: String) throws(Failure) {
        let unpacked = try UnpackedPackages(paths, surroundings)
        packages.append(unpacked)
        let root = SystemRoot(unpacked.path)
        var releases = root.releases
        // A package with the image alone.
        for file in root.list("/boot") where releases.isEmpty {
            if let release = KernelRelease.inPath("/boot/" + file) { releases = [release] }
        }
        guard !releases.isEmpty else {
            throw Failure("--kernel \(name): no kernel in this package")
        }
        for release in releases { add(release, in: root, named: release.text) }
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
