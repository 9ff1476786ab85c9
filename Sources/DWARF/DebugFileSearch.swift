// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import ELF
import HostIO
import Synchronization

/// Finds the separate debug file of a stripped file, as distributions and builds lay them out. Only local paths are
/// tried; nothing is ever fetched. One search serves many files, and lists folders of modules once.
package final class DebugFileSearch: Sendable {
    /// Folders laid out like `/usr/lib/debug`, that one last.
    package let roots: [String]
    /// Opens a candidate, which may be compressed.
    package typealias Opener = @Sendable (String) throws(ELFError) -> ELFFile
    private let open: Opener
    /// Paths by the name of the module, for each folder that was listed.
    let listed = Mutex<[String: [String: [String]]]>([:])

    /// - Parameter roots: tried before `/usr/lib/debug`.
    package init(roots: [String] = [], open: @escaping Opener) {
        self.roots = roots + [DebugFiles.standardRoot].filter { !roots.contains($0) }
        self.open = open
    }

    /// A path that was looked at, and is not the debug file.
    package struct Attempt: Equatable, Sendable {
        package let path: String
        /// Why it is not; nil when there is nothing at the path.
        package let reason: String?
    }

    package struct Result: Sendable {
        /// nil when there is none.
        package let file: ELFFile?
        package let attempts: [Attempt]
    }

    /// The file with the debug information of `elf`: by build id, `.gnu_debuglink`, beside it, and, for a module, at its
    /// place in a tree of its kernel's debug files, or by its name anywhere in that.
    ///
    /// - Returns: a file that has debug information and proves to be of the same build: by build id; where one of both has none, by
    ///   the checksum that `.gnu_debuglink` asks for; or else, for what modules say about themselves and what their sections
    ///   are like.
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

    /// Places by build id, by `.gnu_debuglink`, and beside the file.
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
                // The file of its own name is itself.
                places += names.filter { $0 != file }.map { folder + $0 }
                places += names.map { folder + ".debug/" + $0 }
            }
            return places
        }
    }
}
