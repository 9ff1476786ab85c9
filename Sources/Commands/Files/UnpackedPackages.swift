// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import HostIO
import KernelTree

/// Packages, and what of them concerns kernels and modules, unpacked together as one system.
final class UnpackedPackages: Sendable {
    private let folder: TemporaryFolder
    let names: [String]

    var path: String { folder.path }

    /// Bytes that are unpacked at most: four times Debian's largest image with all its modules.
    private static let mostBytes = 4 << 30
    private static let mostFiles = 200_000

    /// - Throws: for what is no package, a path that leads out of it, and too much of anything.
    init(_ packages: [String], _ surroundings: Surroundings) throws(Failure) {
        names = packages
        do throws(HostError) {
            folder = try TemporaryFolder(in: surroundings.variable("TMPDIR") ?? "/tmp")
        } catch { throw Failure(error) }
        var left = (bytes: UnpackedPackages.mostBytes, files: UnpackedPackages.mostFiles)
        for package in packages {
            do {
                try unpack(package, &left)
            } catch let failure as Failure {
                throw failure
            } catch let error as ArchiveError {
                throw Failure("\(package): \(error)")
            } catch let error as HostError {
                throw Failure(error)
            } catch { throw Failure("\(package): \(error)") }
        }
    }

    /// Whether a file is something that can be unpacked: by its contents or, if it is compressed
    /// as a whole, by its name.
    static func isOne(_ path: String) -> Bool {
        guard FileStatus(path).isRegular, let view = try? FileReader.map(path) else { return false }
        if ArchiveFormat.detect(view) != nil { return true }
        let name = path.split(separator: "/").last ?? ""
        return CompressionFormat.detect(view) != nil
            && (name.contains(".tar.") || [".tgz", ".txz", ".tzst"].contains { name.hasSuffix($0) }
                || ["initrd", "initramfs"].contains { name.hasPrefix($0) }
                || name.contains(".cpio."))
    }

    private func unpack(_ package: String, _ left: inout (bytes: Int, files: Int)) throws {
        let view = try FileReader.map(package)
        var written: [String: ByteView] = [:]
        try forEachMember(view) { member in
            guard !member.climbsOut else {
                throw Failure("\(package): \(member.path): a path that leads out of the package")
            }
            guard UnpackedPackages.isWanted(member.path) else { return }
            let contents: ByteView
            switch member.kind {
            case .file: contents = member.contents
            case .hardLink(let target):
                guard let known = written[target] else { return }
                contents = known
            case .other: return
            }
            left.files -= 1
            left.bytes -= contents.count
            guard left.files >= 0, left.bytes >= 0 else {
                throw Failure(
                    "\(package): more than \(UnpackedPackages.mostBytes >> 30) GiB or \(UnpackedPackages.mostFiles) files"
                )
            }
            written[member.path] = contents
            let place = folder.path + "/" + member.path
            try Directory.make(String(place[..<(place.lastIndex(of: "/") ?? place.endIndex)]))
            try AtomicFile.replace(place, with: [contents])
        }
    }

    /// Modules, kernels and their settings, and what modules are built against.
    private static func isWanted(_ path: String) -> Bool {
        if Inputs.installedSuffixes.contains(where: { path.hasSuffix($0) }) { return true }
        let name = path.split(separator: "/").last ?? ""
        if path.hasPrefix("boot/") { return true }
        let isInPlace = ["lib/modules/", "usr/lib/modules/", "usr/src/", "usr/lib/linux-"]
            .contains { path.hasPrefix($0) }
        return isInPlace
            && [
                "vmlinuz", "vmlinuz.unsigned", "vmlinux", "Image", "Image.gz", "config",
                "auto.conf",
                "kernel.release", "Module.symvers", "resolve_btfids",
            ].contains(String(name))
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
