// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

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
        /// Where raw BTF goes; nil: into the file itself.
        let detached: String?
    }

    /// - Throws: when two files would get one destination, or a file would be overwritten by its BTF.
    func assign(_ paths: [String]) throws(Failure) -> [Job] {
        if let folder, !FileStatus(folder).isDirectory {
            throw Failure(
                "\(folder): \(FileStatus(folder).exists ? "not a folder" : "no such folder")",
                hint: "mkdir -p \(folder)")
        }
        var users: [String: String] = [:]
        var jobs: [Job] = []
        for path in paths {
            let destination = destination(of: path)
            if let destination {
                if let other = users.updateValue(path, forKey: destination) {
                    throw Failure(
                        "\(path): its BTF would overwrite that of \(other) in \(destination)",
                        hint: "encode files of the same name into different folders")
                }
                if isSame(destination, path) {
                    throw Failure("\(path): its BTF would overwrite the file itself")
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

    /// Both paths lead to one file, or to copies that cannot be told apart.
    private func isSame(_ one: String, _ other: String) -> Bool {
        let (a, b) = (FileStatus(one), FileStatus(other))
        return a.isRegular && b.isRegular && a.size == b.size && a.modified == b.modified
    }
}
