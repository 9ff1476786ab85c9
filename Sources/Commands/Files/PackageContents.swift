// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import HostIO
import KernelTree

/// What of packages concerns kernels and modules.
struct PackageContents {
    /// Bytes that are unpacked at most: four times Debian's largest image with all its modules.
    private static let mostBytes = 4 << 30
    private static let mostFiles = 200_000

    /// Paths as the packages have them, and contents.
    private(set) var files: [(path: String, contents: ByteView)] = []
    private var left = (bytes: mostBytes, files: mostFiles)

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

    /// - Throws: for what is no package, a path that leads out of it, and too much of anything.
    init(_ packages: [String]) throws(Failure) {
        for package in packages {
            do {
                try add(package)
            } catch let failure as Failure {
                throw failure
            } catch let error as HostError {
                throw Failure(error)
            } catch { throw Failure("\(package): \(error)") }
        }
    }

    private mutating func add(_ package: String) throws {
        var known: [String: ByteView] = [:]
        var found: [(path: String, contents: ByteView)] = []
        var left = left
        try forEachMember(try FileReader.map(package)) { member in
            guard !member.climbsOut else {
                throw Failure("\(package): \(member.path): a path that leads out of the package")
            }
            guard PackageContents.isWanted(member.path) else { return }
            let contents: ByteView
            switch member.kind {
            case .file: contents = member.contents
            case .hardLink(let target):
                guard let first = known[target] else { return }
                contents = first
            case .other: return
            }
            left.files -= 1
            left.bytes -= contents.count
            guard left.files >= 0, left.bytes >= 0 else {
                throw Failure(
                    "\(package): more than \(PackageContents.mostBytes >> 30) GiB or \(PackageContents.mostFiles) files"
                )
            }
            known[member.path] = contents
            found.append((member.path, contents))
        }
        files += found
        self.left = left
    }

    /// Modules, kernels and their settings, and what modules are built against.
    private static func isWanted(_ path: String) -> Bool {
        if ModuleName.suffixes.contains(where: { path.hasSuffix($0) }) { return true }
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
}
