// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import HostIO

/// Where the BTF of each file goes.
struct Destinations {
    /// `--detached`.
    let file: String?
    /// `--detached-dir`.
    let folder: String?
    /// Other files that the command reads: bases and targets.
    var reads: [String] = []
    /// The option that sets `file`, in hints.
    var fileOption = "--detached"

    /// One file to encode.
    struct Job: Sendable {
        let path: String
        /// Destination for raw BTF; nil: the file itself.
        let detached: String?
        /// Why nothing can be read there.
        var failure: Failure?
    }

    /// - Parameter isDry: nothing will be written.
    /// - Throws: if two files would have the same destination, something that is read would be
    ///   overwritten, or a file that is to be rewritten is a pipe or a device.
    func assign(_ paths: [String], isDry: Bool = false) throws(Failure) -> [Job] {
        if let folder, !FileStatus(folder).isDirectory {
            throw Failure(
                "\(folder): \(FileStatus(folder).exists ? "not a directory" : "no such directory")",
                hint: "mkdir -p \(folder)")
        }
        let others = Destinations.byIdentity(reads)
        let inputs = file == nil && folder == nil ? [:] : Destinations.byIdentity(paths + reads)
        var users: [String: String] = [:]
        var jobs: [Job] = []
        for path in paths {
            let destination = destination(of: path)
            if let destination {
                if let other = users.updateValue(path, forKey: destination) {
                    throw Failure(
                        "\(path): its BTF would overwrite that of \(other) in \(destination)",
                        hint: "encode files with the same name to different directories")
                }
                // What belongs to distilled BTF is written beside it.
                for written in [destination, destination + ".base", destination + ".ids"] {
                    guard let other = FileStatus(written).identity.flatMap({ inputs[$0] }) else {
                        continue
                    }
                    throw Failure(
                        "\(path): its BTF would overwrite "
                            + (other == path ? "the file itself" : other))
                }
            } else if !isDry {
                let hint = "write the BTF to another file with \(fileOption)"
                try Destinations.checkRewritable(path, hint: hint)
                if FileStatus(path).identity.map({ others[$0] != nil }) == true {
                    throw Failure(
                        "\(path): it would be overwritten, but is read as base or target",
                        hint: hint)
                }
            }
            jobs.append(Job(path: path, detached: destination))
        }
        return jobs
    }

    /// Refuses files that cannot be replaced by changed ones, before they are read.
    static func checkRewritable(_ path: String, hint: String) throws(Failure) {
        guard FileStatus(path).isSpecial else { return }
        throw Failure(
            "\(path): not a regular file, so its contents cannot be replaced", hint: hint)
    }

    private func destination(of path: String) -> String? {
        if let file { return file }
        guard let folder else { return nil }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return (folder.hasSuffix("/") ? folder : folder + "/") + name + ".btf"
    }

    /// The files by the system's identity; pipes and devices may be written to.
    private static func byIdentity(_ paths: [String]) -> [[UInt64]: String] {
        var found: [[UInt64]: String] = [:]
        for path in paths {
            let status = FileStatus(path)
            if status.isRegular, let identity = status.identity { found[identity] = path }
        }
        return found
    }
}
