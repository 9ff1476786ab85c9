// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import HostIO

/// Where the BTF of each file goes.
struct Destinations {
    /// `--detached`.
    let file: String?
    /// `--detached-dir`.
    let folder: String?

    /// One file to encode.
    struct Job: Sendable {
        let path: String
        /// Destination for raw BTF; nil: the file itself.
        let detached: String?
    }

    /// - Throws: if two files would have the same destination, or one of the files would be
    ///   overwritten.
    func assign(_ paths: [String]) throws(Failure) -> [Job] {
        if let folder, !FileStatus(folder).isDirectory {
            throw Failure(
                "\(folder): \(FileStatus(folder).exists ? "not a directory" : "no such directory")",
                hint: "mkdir -p \(folder)")
        }
        let inputs = file == nil && folder == nil ? [:] : Destinations.byIdentity(paths)
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
                if let other = FileStatus(destination).identity.flatMap({ inputs[$0] }) {
                    throw Failure(
                        "\(path): its BTF would overwrite "
                            + (other == path ? "the file itself" : other))
                }
            }
            jobs.append(Job(path: path, detached: destination))
        }
        return jobs
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
