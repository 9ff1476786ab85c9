// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Console
import HostIO
import KernelTree

extension Diff {
    /// Whether an argument stands for many modules.
    static func isTree(_ path: String) -> Bool {
        FileStatus(path).isDirectory || PackageContents.isOne(path)
    }

    /// Compares two directories or packages, module by module.
    ///
    /// - Returns: whether they are equal.
    func compareTrees(_ surroundings: Surroundings, _ talk: Talk) throws -> Bool {
        guard Self.isTree(a), Self.isTree(b) else {
            throw Failure(
                "\(Self.isTree(a) ? b : a): not a directory or package, and so not to be compared with one",
                hint: "name a module, or a tree, on both sides")
        }
        let one = try side(a, baseA, surroundings)
        let other = try side(b, baseB, surroundings)
        // The packages are there until all is read.
        return try withExtendedLifetime((one, other)) {
            let selection = try selection { module throws(Failure) in
                try one.reading.types(ofFiles: [(module, nil)], understood: true, talk)[0]
            }
            let sides = [
                try TreeSide(one.folder, one.reading, one.talk),
                try TreeSide(other.folder, other.reading, other.talk),
            ]
            let unmatched = try unmatched(selection, sides.flatMap(\.types), talk)
            let comparison = TreeComparison(
                sides[0], sides[1], selection: selection, limit: limit)
            if !talkOptions.quiet {
                if json {
                    try surroundings.output.report {
                        comparison.write(to: &$0)
                        $0.field("unmatched", unmatched)
                    }
                } else {
                    try surroundings.output.print(comparison.text())
                }
            }
            return comparison.isEqual && unmatched.isEmpty
        }
    }

    private struct Side {
        /// Where it is unpacked, if it is a package.
        let package: UnpackedPackages?
        let folder: String
        let reading: Reading
        let talk: Talk
    }

    private func side(
        _ path: String, _ base: String?, _ surroundings: Surroundings
    ) throws(Failure) -> Side {
        let package =
            FileStatus(path).isDirectory ? nil : try UnpackedPackages([path], surroundings)
        let naming = package?.naming(surroundings) ?? surroundings
        let folder = package?.path ?? path
        let places = SearchPlaces(
            naming, release: self.base.search.release,
            sysroots: [folder] + self.base.search.sysroot, usesCache: !self.base.search.noCache)
        return Side(
            package: package, folder: folder,
            reading: Reading(option: base ?? self.base.base, places),
            talk: talkOptions.talk(naming))
    }
}
