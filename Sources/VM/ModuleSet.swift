// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO
package import KernelTree

/// Modules in the order they have to be loaded in, with those of the kernel that they need.
///
/// Who needs whom comes from the modules themselves (`depends=` in `.modinfo`), not from modules.dep: a package
/// that was only unpacked has none, and modules built outside the tree are in none.
package struct ModuleSet: Sendable {
    package struct Entry: Sendable {
        package let info: ModuleInfo
        /// Asked for by the user, not by another module.
        package let isWanted: Bool
    }

    package private(set) var entries: [Entry] = []

    /// - Parameters:
    ///   - paths: the modules wanted, in order. They go before the kernel's own of the same name.
    ///   - folder: the kernel's, `/lib/modules/R`; nil when there is none.
    ///   - release: the kernel's; a module for another one is refused, as it would be there.
    package init(
        _ paths: [String], folder: String?, release: KernelRelease?, for architecture: Architecture
    ) throws(VMError) {
        var wanted: [ModuleInfo] = []
        for path in paths {
            let info = try ModuleInfo(path, for: architecture)
            guard !wanted.contains(where: { $0.name == info.name }) else {
                throw VMError("\(path): there is a module \(info.name) among the others already")
            }
            if let release, let own = info.release, own != release {
                throw VMError(
                    "\(path): built for \(own), not for the kernel \(release)",
                    hint: "name the kernel with --kernel \(own)")
            }
            wanted.append(info)
        }
        var given: [String: ModuleInfo] = [:]
        for info in wanted { given[info.name] = info }
        var files: [String: String]?
        var known = given
        var done: Set<String> = []

        for start in wanted {
            // Depth first without recursing: a module is loaded when all it needs are.
            var stack = [(name: start.name, next: 0)]
            var open: Set<String> = [start.name]
            while let (name, next) = stack.last {
                guard !done.contains(name), let info = known[name] else {
                    stack.removeLast()
                    open.remove(name)
                    continue
                }
                if next == info.dependencies.count {
                    entries.append(Entry(info: info, isWanted: given[name] != nil))
                    done.insert(name)
                    stack.removeLast()
                    open.remove(name)
                    continue
                }
                stack[stack.count - 1].next += 1
                let needed = info.dependencies[next]
                guard !done.contains(needed) else { continue }
                guard open.insert(needed).inserted else {
                    throw VMError("\(info.path): needs \(needed), which needs it in turn")
                }
                if known[needed] == nil {
                    if files == nil { files = try ModuleSet.files(below: folder) }
                    guard let path = files?[needed] else {
                        throw VMError(
                            "\(info.path): needs the module \(needed), which is not "
                                + (folder.map { "below \($0)" }
                                    ?? "there: the kernel has no modules"),
                            hint: "add it with --module")
                    }
                    known[needed] = try ModuleInfo(path, for: architecture)
                }
                stack.append((needed, 0))
            }
        }
    }

    /// The modules below `folder`, by name. `build` and `source` in it are links, which are not followed.
    private static func files(below folder: String?) throws(VMError) -> [String: String] {
        guard let folder else { return [:] }
        var found: [String: String] = [:]
        do throws(HostError) {
            for path in try Directory.walk(
                folder, suffixes: [".ko", ".ko.xz", ".ko.zst", ".ko.gz"])
            {
                found[ModuleInfo.name(ofFile: path)] = path
            }
        } catch { throw VMError(error) }
        return found
    }
}
