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
    }

    private(set) var entries: [Entry] = []

    var paths: [String] { entries.map(\.path) }

    /// The same without the module that holds the kernel's own BTF, which is nobody's to change,
    /// unless the user names it.
    func modules(_ talk: Talk) -> [String] {
        entries.filter { entry in
            guard entry.isFromFolder, KernelBTFModule.isNamed(entry.path) else { return true }
            talk.note("\(entry.path): skipped: it holds the kernel's own BTF")
            return false
        }.map(\.path)
    }

    /// The named files, and the files with these suffixes in and below the named directories, each
    /// once. Symbolic links in directories are skipped with a message: naming a directory does not
    /// mean files elsewhere.
    ///
    /// Names that look like options are shown below `./`.
    init(_ arguments: [String], suffixes: [String], _ talk: Talk) throws(Failure) {
        var seen: Set<String> = []
        for word in arguments {
            // In messages and in the commands of hints it is not to be read as an option.
            let argument = word.hasPrefix("-") ? "./" + word : word
            guard FileStatus(argument).isDirectory else {
                if seen.insert(argument).inserted {
                    entries.append(Entry(path: argument, isFromFolder: false))
                }
                continue
            }
            let found: [String]
            var links: [String] = []
            do throws(HostError) {
                found = try Directory.walk(argument, suffixes: suffixes) { links.append($0) }
            } catch { throw Failure(error) }
            if let link = links.min() {
                talk.note(
                    "\(argument): symbolic links are skipped: \(links.count), \(link)"
                        + (links.count > 1 ? " the first" : ""))
            }
            if found.isEmpty { throw Failure("\(argument): no .ko files in this directory") }
            for path in found where seen.insert(path).inserted {
                entries.append(Entry(path: path, isFromFolder: true))
            }
        }
    }
}
