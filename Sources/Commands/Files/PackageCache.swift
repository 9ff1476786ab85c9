// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
package import Console
import HostIO
package import KernelTree

/// Kernels in packages, unpacked once: `packages/KEY` in the cache directory, where the key is a
/// digest of the packages' contents. Without a cache directory they are unpacked for this run.
package final class PackageCache {
    /// A kernel in one package, or in several that belong together.
    package struct Kernel {
        /// Laid out like `/`.
        package let root: String
        package let release: KernelRelease
        /// The packages.
        package let sources: [String]
        /// What boots it; nil if that is in no package.
        package let image: String?
    }

    private let surroundings: Surroundings
    private var temporary: [UnpackedPackages] = []

    package init(_ surroundings: Surroundings) { self.surroundings = surroundings }

    package static func isPackage(_ path: String) -> Bool { PackageContents.isOne(path) }

    /// The packages in a directory; none if it has no such files.
    package static func packages(in folder: String) -> [String] {
        ((try? Directory.list(folder)) ?? []).map { folder + "/" + $0 }
            .filter { PackageContents.isOne($0) }
    }

    /// The kernels in these packages. One that has no image belongs to the one with the image of
    /// its release, as Debian packages kernels from 7.0 on.
    ///
    /// - Parameter others: some may have nothing to do with it.
    /// - Throws: for a package that cannot be unpacked, or contains no kernel.
    package func kernels(
        in packages: [String], among others: Bool = false
    ) throws(Failure) -> [Kernel] {
        var found: [Kernel] = []
        for package in packages {
            let kernels = try kernels(of: [package])
            guard !kernels.isEmpty || others else {
                throw Failure("\(package): no kernel in this package")
            }
            found += kernels
        }
        var result: [Kernel] = []
        for kernel in found {
            let others = found.filter { $0.release == kernel.release && $0.image == nil }
            let images = found.count { $0.release == kernel.release && $0.image != nil }
            if kernel.image == nil, images == 1 { continue }
            guard kernel.image != nil, images == 1, !others.isEmpty else {
                result.append(kernel)
                continue
            }
            result += try self.kernels(of: kernel.sources + others.flatMap(\.sources))
                .filter { $0.release == kernel.release }
        }
        return result
    }

    private func kernels(of packages: [String]) throws(Failure) -> [Kernel] {
        let path = try unpacked(packages)
        let root = SystemRoot(path)
        var releases = root.releases
        // A package with the image alone.
        for file in root.list("/boot") {
            if let release = KernelRelease.inPath("/boot/" + file), !releases.contains(release) {
                releases.append(release)
            }
        }
        return releases.map { release in
            Kernel(
                root: path, release: release, sources: packages,
                image: KernelImage.places(of: release).lazy.map { path + "/" + $0 }
                    .first { FileStatus($0).isRegular })
        }
    }

    /// Where the packages are unpacked.
    private func unpacked(_ packages: [String]) throws(Failure) -> String {
        guard let cache = surroundings.cacheFolder else {
            let folder = try UnpackedPackages(packages, surroundings)
            temporary.append(folder)
            return folder.path
        }
        let path = "\(cache)/packages/\(try key(packages))"
        guard !FileStatus(path).isDirectory else { return path }
        let files = try PackageContents(packages).files
        do throws(HostError) {
            try Directory.make(cache + "/packages")
            try AtomicFolder.replace(path, with: files)
        } catch {
            // Another process may have been first.
            guard FileStatus(path).isDirectory else { throw Failure(error) }
        }
        return path
    }

    /// Of the contents, whatever the names.
    private func key(_ packages: [String]) throws(Failure) -> String {
        var digests: [UInt8] = []
        for package in packages {
            do throws(HostError) {
                digests += try FileReader.map(package).withSpan { sha256($0) }
            } catch { throw Failure(error) }
        }
        let digest = packages.count == 1 ? digests : ByteView(digests).withSpan { sha256($0) }
        return digest.prefix(16).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }
}
