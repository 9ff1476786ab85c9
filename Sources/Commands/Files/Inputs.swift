// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import HostIO
import KernelTree

/// The files behind the arguments of a command.
struct Inputs {
    struct Entry: Sendable {
        let path: String
        /// Found in a directory, not named by the user.
        let isFromFolder: Bool
        /// Why it cannot be read: a directory that cannot be listed, whose modules are unknown.
        var failure: Failure?
    }

    private(set) var entries: [Entry] = []
    private var seen = Seen()

    var paths: [String] { entries.map(\.path) }

    /// The same without the module that holds the kernel's own BTF, which is nobody's to change,
    /// unless the user names it.
    func modules(_ talk: Talk) -> [Entry] {
        entries.filter { entry in
            guard entry.isFromFolder, KernelBTFModule.isNamed(entry.path) else { return true }
            talk.note("\(entry.path): skipped: it holds the kernel's own BTF")
            return false
        }
    }

    /// The named files, and the files with these suffixes in and below the named directories, each
    /// once. Symbolic links in directories are skipped with a message: naming a directory does not
    /// mean files elsewhere. A directory that cannot be listed is an entry that fails.
    ///
    /// Names that look like options are shown below `./`.
    init(_ arguments: [String], suffixes: [String], _ talk: Talk) throws(Failure) {
        for word in arguments {
            // In messages and in the commands of hints it is not to be read as an option.
            let argument = word.hasPrefix("-") ? "./" + word : word
            guard FileStatus(argument).isDirectory else {
                add(Entry(path: argument, isFromFolder: false))
                continue
            }
            try add(folder: argument, suffixes, talk)
        }
    }

    private mutating func add(
        folder: String, _ suffixes: [String], _ talk: Talk
    ) throws(Failure) {
        var found: [Entry] = []
        var links: [String] = []
        var folderLinks: [String] = []
        do throws(HostError) {
            var unreadable: [HostError] = []
            found = try Directory.walk(folder, suffixes: suffixes) {
                switch $0 {
                case .link(let path): links.append(path)
                case .folderLink(let path): folderLinks.append(path)
                case .unreadable(let error): unreadable.append(error)
                }
            }.map { Entry(path: $0, isFromFolder: true) }
            unreadable.sort { $0.path < $1.path }
            found += unreadable.map {
                Entry(path: $0.path, isFromFolder: true, failure: Failure($0))
            }
        } catch {
            return add(Entry(path: folder, isFromFolder: false, failure: Failure(error)))
        }
        if let link = links.min() {
            talk.note(
                "\(folder): symbolic links are skipped: \(links.count), \(link)"
                    + (links.count > 1 ? " the first" : ""))
        }
        for link in folderLinks.sorted() {
            talk.detail("\(link): not searched: a symbolic link to a directory")
        }
        if found.isEmpty { throw Failure("\(folder): no .ko files in this directory") }
        for entry in found { add(entry) }
    }

    private mutating func add(_ entry: Entry) {
        if seen.insert(entry.path) { entries.append(entry) }
    }

    /// Names of files, whatever the spelling of the way there: `A/foo.ko` and `./A//foo.ko`.
    private struct Seen {
        private var names: Set<[String]> = []
        private var folders: [String: String] = [:]

        /// Whether it was not there yet.
        mutating func insert(_ path: String) -> Bool {
            var path = path[...]
            while path.count > 1, path.hasSuffix("/") { path.removeLast() }
            let slash = path.lastIndex(of: "/")
            let name = slash.map { path[path.index(after: $0)...] } ?? path
            let folder = slash.map { String(path[...$0]) } ?? "."
            // What names a directory by its place has no name of its own.
            guard name != ".", name != ".." else {
                return names.insert([identity(String(path)), ""]).inserted
            }
            return names.insert([identity(folder), String(name)]).inserted
        }

        private mutating func identity(_ folder: String) -> String {
            if let known = folders[folder] { return known }
            let identity = FileStatus(folder).identity.map { "\($0)" } ?? folder
            folders[folder] = identity
            return identity
        }
    }
}
