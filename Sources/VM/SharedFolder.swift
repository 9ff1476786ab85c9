// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO

/// A directory of the host's of which guests get a copy.
///
/// A copy in the initramfs, because that works with every kernel: file systems that show a
/// directory of the host (9p, virtiofs) are drivers that many kernels do not have.
package struct SharedFolder: Sendable {
    struct Entry {
        /// In the guest.
        let path: String
        let mode: UInt32
        let kind: CpioWriter.Kind
    }

    let entries: [Entry]
    /// Paths of what is left out: sockets, devices, pipes.
    package private(set) var leftOut: [String] = []

    /// In the guest.
    static let path = "/shared"
    private static let mostFiles = 20_000
    /// What the kernel reads of a path.
    private static let mostPath = 4000

    /// - Parameter memory: of the guest, in MiB. Its kernel has the archive and the files at once.
    /// - Throws: if something in it cannot be read, and for more than fits.
    package init(_ folder: String, memory: Int) throws(VMError) {
        guard FileStatus(folder).isDirectory else {
            throw VMError(
                "--share \(folder): \(FileStatus(folder).exists ? "not a directory" : "no such directory")"
            )
        }
        let most = memory << 20 / 3
        var entries = [Entry(path: Self.path, mode: 0o755, kind: .folder)]
        var size = 0
        var pending = [""]
        while let below = pending.popLast() {
            let names: [String]
            do throws(HostError) { names = try Directory.list(folder + below) } catch {
                throw VMError(error)
            }
            for name in names {
                let path = "\(below)/\(name)"
                let status = FileStatus(folder + path, followLinks: false)
                guard entries.count < Self.mostFiles, path.utf8.count < Self.mostPath else {
                    throw VMError(
                        "--share \(folder): more than \(Self.mostFiles) files, or a path of more than \(Self.mostPath) bytes"
                    )
                }
                let kind: CpioWriter.Kind
                if status.isDirectory {
                    kind = .folder
                    pending.append(path)
                } else if let target = SymbolicLink.target(of: folder + path) {
                    kind = .link(target)
                } else if status.isRegular {
                    size += Int(clamping: status.size)
                    guard size <= most else {
                        throw VMError(
                            "--share \(folder): more than \(most >> 20) MiB, a third of the guest's memory",
                            hint: "more memory: --memory \(memory * 2)")
                    }
                    do throws(HostError) { kind = .file(try FileReader.map(folder + path)) } catch {
                        throw VMError(error)
                    }
                } else {
                    leftOut.append(folder + path)
                    continue
                }
                entries.append(Entry(path: Self.path + path, mode: status.mode, kind: kind))
            }
        }
        self.entries = entries
    }
}
