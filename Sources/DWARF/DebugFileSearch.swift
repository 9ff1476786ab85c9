// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import ELF
import HostIO
import Synchronization

/// Finds the separate debug file of a stripped file, in the layouts of distributions and builds.
/// Only local paths are tried; nothing is ever fetched. One search serves many files, and lists
/// each directory of modules once.
package final class DebugFileSearch: Sendable {
    /// Directories laid out like `/usr/lib/debug`, which is the last.
    package let roots: [String]
    /// Opens a candidate, which may be compressed.
    package typealias Opener = @Sendable (String) throws(ELFError) -> ELFFile
    private let open: Opener
    /// Paths by module name, for each directory that was listed.
    let listed = Mutex<[String: [String: [String]]]>([:])

    /// - Parameter roots: tried before `/usr/lib/debug`.
    package init(roots: [String] = [], open: @escaping Opener) {
        self.roots = roots + [DebugFiles.standardRoot].filter { !roots.contains($0) }
        self.open = open
    }

    /// A path that was examined and is not the debug file.
    package struct Attempt: Equatable, Sendable {
        package let path: String
        /// Why it is not; nil if there is nothing at the path.
        package let reason: String?
    }

    package struct Result: Sendable {
        /// nil if there is none.
        package let file: ELFFile?
        package let attempts: [Attempt]
    }

    /// The file with the debug information of `elf`: by build id, by `.gnu_debuglink`, beside it,
    /// and, for a module, at its path in a tree of its kernel's debug files, or by its name
    /// anywhere in that tree.
    ///
    /// - Returns: a file with debug information that is proven to be from the same build: by build
    ///   id; if one of the two has none, by the checksum in `.gnu_debuglink`; otherwise by what
    ///   modules say about themselves and by their sections.
    package func file(for elf: ELFFile) throws(ELFError) -> Result {
        let match = try DebugFileMatch(for: elf)
        var attempts: [Attempt] = []
        var seen: Set<String> = []
        for places in [named(elf, match), inModuleTrees(elf, match), listedModules(match)] {
            for path in places() where seen.insert(path).inserted {
                guard FileStatus(path).isRegular else {
                    attempts.append(Attempt(path: path, reason: nil))
                    continue
                }
                do throws(ELFError) {
                    let file = try open(path)
                    guard let reason = match.obstacle(file) else {
                        return Result(file: file, attempts: attempts)
                    }
                    if reason != .isItself {
                        attempts.append(Attempt(path: path, reason: reason.description))
                    }
                } catch {
                    attempts.append(Attempt(path: path, reason: "cannot be read: \(error)"))
                }
            }
        }
        return Result(file: nil, attempts: attempts)
    }

    /// Candidates by build id, by `.gnu_debuglink`, and beside the file.
    private func named(_ elf: ELFFile, _ match: DebugFileMatch) -> () -> [String] {
        {
            var places: [String] = []
            if let id = match.id { places += self.roots.map { DebugFiles.path(of: id, in: $0) } }
            let folders = DebugFiles.folders(of: elf.path)
            if let link = match.link {
                for folder in folders {
                    places += [folder + link.name, folder + ".debug/" + link.name]
                    if folder.hasPrefix("/") {
                        places += self.roots.map { $0 + folder + link.name }
                    }
                }
            }
            let file = ModulePath.fileName(of: elf.path)
            let names = ModulePath.debugNames(of: file)
            for folder in folders {
                // A file with its own name is the file itself.
                places += names.filter { $0 != file }.map { folder + $0 }
                places += names.map { folder + ".debug/" + $0 }
            }
            return places
        }
    }
}
