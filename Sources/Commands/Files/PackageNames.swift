// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
package import Console
import HostIO

/// Packages that are named, not given as files: downloaded by apt once, to `packages/apt/NAME` in
/// the cache directory.
package struct PackageNames {
    private let surroundings: Surroundings
    private let mayFetch: Bool
    private let talk: Talk

    /// apt has deadlines of its own for each connection.
    private static let seconds = 3600
    /// Packages that one name may lead to: Debian splits a kernel into three.
    private static let most = 8

    /// - Parameter mayFetch: `--fetch`.
    package init(_ surroundings: Surroundings, mayFetch: Bool, _ talk: Talk) {
        self.surroundings = surroundings
        self.mayFetch = mayFetch
        self.talk = talk
    }

    /// Whether `text` may be the name of a kernel's package, `linux-image-6.1.0-57-amd64`, with or
    /// without `=VERSION`.
    package static func isOne(_ text: String) -> Bool {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        guard text.hasPrefix("linux-"), parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }) else {
            return false
        }
        return text.utf8.count <= 200
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "+-.=:~".utf8.contains(byte)
                }
            }
    }

    /// The files of the package `name` and of the parts of the kernel that it depends on.
    ///
    /// - Throws: without `--fetch`, if the cache does not have it; if apt fails.
    package func files(of name: String) throws(Failure) -> [String] {
        guard let cache = surroundings.cacheFolder else {
            throw Failure("\(name): packages are fetched to the cache directory, and there is none")
        }
        let folder = "\(cache)/packages/apt/\(name)"
        if !FileStatus(folder).isDirectory {
            guard mayFetch else {
                throw Failure(
                    "\(name): neither a file, nor a package in the cache",
                    hint: "--fetch downloads it with apt")
            }
            try fetch(name, to: folder)
        }
        do throws(HostError) {
            return try Directory.list(folder).filter { $0.hasSuffix(".deb") }.map {
                folder + "/" + $0
            }
        } catch { throw Failure(error) }
    }

    private func fetch(_ name: String, to folder: String) throws(Failure) {
        var names = [name]
        var next = 0
        while next < names.count, names.count < PackageNames.most {
            for part in try parts(of: names[next]) where !names.contains(part) {
                names.append(part)
            }
            next += 1
        }
        talk.note("fetching \(names.joined(separator: ", "))")
        let parent = String(folder.dropLast(name.utf8.count + 1))
        let place: TemporaryFolder
        do throws(HostError) {
            try Directory.make(parent)
            place = try TemporaryFolder(in: parent)
        } catch { throw Failure(error) }
        _ = try apt(
            ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", "--"] + names, name,
            in: place.path)
        do throws(HostError) {
            let files = try Directory.list(place.path).filter { $0.hasSuffix(".deb") }
            try AtomicFolder.replace(
                folder,
                with: try files.map { file throws(HostError) in
                    (path: file, contents: try FileReader.map(place.path + "/" + file))
                })
        } catch { throw Failure(error) }
    }

    /// The packages with other parts of the kernel, from the field `Depends`.
    private func parts(of name: String) throws(Failure) -> [String] {
        let plain = name.split(separator: "=").first.map(String.init) ?? name
        let text = try apt(["apt-cache", "show", "--no-all-versions", "--", plain], name, in: "/")
        return text.split(separator: "\n").filter { $0.hasPrefix("Depends: ") }
            .flatMap { $0.dropFirst(9).split(separator: ",") }
            .compactMap { $0.split(separator: " ").first.map(String.init) }
            .filter { part in
                ["linux-image-", "linux-binary-", "linux-modules-"].contains {
                    part.hasPrefix($0)
                } && PackageNames.isOne(part)
            }
    }

    /// What a program of apt prints, run in a directory.
    private func apt(
        _ words: [String], _ name: String, in folder: String
    ) throws(Failure) -> String {
        let ending: ProgramOutput.Ending
        do throws(HostError) {
            ending = try ProgramOutput.ending(
                ["/bin/sh", "-c", #"cd "$0" && exec "$@""#, folder] + words, surroundings,
                seconds: PackageNames.seconds)
        } catch { throw Failure(error) }
        guard ending.status == 0 else {
            let said = String(decoding: ending.errors, as: UTF8.self).split(separator: "\n")
                .last.map(String.init)
            throw Failure("\(name): \(words[0]): \(said ?? "it failed without a message")")
        }
        return String(decoding: ending.bytes, as: UTF8.self)
    }
}
