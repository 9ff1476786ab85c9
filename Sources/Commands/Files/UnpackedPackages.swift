// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import HostIO

/// Packages, and what of them concerns kernels and modules, unpacked together as one system.
final class UnpackedPackages: Sendable {
    private let folder: TemporaryFolder
    let names: [String]

    var path: String { folder.path }

    /// - Throws: for what is no package, a path that leads out of it, and too much of anything.
    init(_ packages: [String], _ surroundings: Surroundings) throws(Failure) {
        names = packages
        let files = try PackageContents(packages).files
        do throws(HostError) {
            folder = try TemporaryFolder(in: surroundings.variable("TMPDIR") ?? "/tmp")
            try folder.add(files)
        } catch { throw Failure(error) }
    }

    /// Streams on which files have the names that they have in the packages.
    func naming(_ surroundings: Surroundings) -> Surroundings {
        let (output, errors) = (surroundings.output, surroundings.errors)
        return surroundings.speaking(
            output: Stream(
                writer: { bytes throws(HostError) in try output.write(self.renamed(bytes)) },
                isTerminal: output.isTerminal),
            errors: Stream(
                writer: { bytes throws(HostError) in try errors.write(self.renamed(bytes)) },
                isTerminal: errors.isTerminal))
    }

    private func renamed(_ bytes: [UInt8]) -> [UInt8] {
        let (own, name) = (
            Array(folder.path.utf8), Array((names.count == 1 ? names[0] : "packages").utf8)
        )
        var result: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == own[0], bytes[at...].starts(with: own) {
                result += name
                at += own.count
            } else {
                result.append(bytes[at])
                at += 1
            }
        }
        return result
    }
}
