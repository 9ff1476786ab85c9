// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO
import KernelTree

/// Orders modules by their dependencies, as modprobe does (modprobe.d(5) for soft dependencies):
/// the modules that must (`depends=`) or should (`softdep=pre:`) precede a module come first, and
/// those that should follow it (`post:`) come after.
///
/// A soft dependency may name an alias (`crc32c`). Not all modules are examined for it, since they
/// would all have to be decompressed, only those whose names begin with it (`crc32c_generic`).
struct ModuleOrder {
    /// The given modules, by name. They take precedence over the kernel's with the same name.
    let given: [String: ModuleInfo]
    /// The kernel's, `/lib/modules/R`; nil if there is none.
    let folder: String?
    let architecture: Architecture

    private(set) var modules: [ModuleInfo] = []
    /// Soft dependencies that were not found: built in, an alias, or omitted.
    private(set) var absent: [(module: String, wish: String)] = []
    private var known: [String: ModuleInfo] = [:]
    private var done: Set<String> = []
    /// Those in `folder`, by name; nil until requested.
    private var files: [String: String]?

    /// A module that waits for its dependencies.
    private struct Waiting {
        let info: ModuleInfo
        /// A soft dependency of the one below it.
        let isWish: Bool
        /// What it waits for, soft dependencies first.
        let wishes: [ModuleInfo]
        var next = 0

        var count: Int { wishes.count + info.dependencies.count }

        func need(_ index: Int) -> (name: String, isWish: Bool) {
            index < wishes.count
                ? (wishes[index].name, true) : (info.dependencies[index - wishes.count], false)
        }
    }

    init(given: [String: ModuleInfo], folder: String?, architecture: Architecture) {
        self.given = given
        self.folder = folder
        self.architecture = architecture
        known = given
    }

    /// The module `name`, given or the kernel's.
    mutating func find(_ name: String) throws(VMError) -> ModuleInfo? {
        if let info = known[name] { return info }
        if files == nil { files = try ModuleOrder.files(below: folder) }
        guard let path = files?[name] else { return nil }
        let info = try ModuleInfo(path, for: architecture)
        known[name] = info
        return info
    }

    /// The soft dependencies of `info` in `names`.
    private mutating func wished(
        _ names: [String], by info: ModuleInfo
    ) throws(VMError) -> [ModuleInfo] {
        var found: [ModuleInfo] = []
        for name in names {
            var these: [ModuleInfo] = []
            if let one = try find(name) {
                these = [one]
            } else {
                // `crypto-crc32c` is the same name in the namespace of algorithms.
                let start = name.hasPrefix("crypto_") ? String(name.dropFirst(7)) : name
                let names = Set(known.keys).union((files ?? [:]).keys)
                for candidate in names.filter({ $0.hasPrefix(start) }).sorted() {
                    if let one = try find(candidate), one.aliases.contains(name) {
                        these.append(one)
                    }
                }
            }
            if these.isEmpty { absent.append((info.path, name)) }
            found += these
        }
        return found
    }

    /// Appends `first`, with its dependencies around it.
    mutating func add(_ first: ModuleInfo) throws(VMError) {
        var starts = [first]
        var next = 0
        while next < starts.count {
            let already = modules.count
            try addWithNeeds(starts[next])
            next += 1
            for info in modules[already...] {
                starts += try wished(info.wishesAfter, by: info)
            }
        }
    }

    /// Depth first without recursion: a module is appended once its dependencies are.
    private mutating func addWithNeeds(_ start: ModuleInfo) throws(VMError) {
        guard !done.contains(start.name) else { return }
        var stack = [try waiting(start, isWish: false)]
        var open: Set<String> = [start.name]
        while let top = stack.last {
            guard top.next < top.count else {
                modules.append(top.info)
                done.insert(top.info.name)
                open.remove(top.info.name)
                stack.removeLast()
                continue
            }
            stack[stack.count - 1].next += 1
            let (name, isWish) = top.need(top.next)
            guard !done.contains(name) else { continue }
            guard !open.contains(name) else {
                let circle = stack.drop { $0.info.name != name }.dropFirst()
                // A soft dependency that cannot be satisfied is ignored.
                if isWish || circle.contains(where: { $0.isWish }) { continue }
                throw VMError("\(top.info.path): depends on \(name), which depends on it in turn")
            }
            guard let info = try find(name) else {
                throw VMError(
                    "\(top.info.path): depends on module \(name), which is not "
                        + (folder.map { "below \($0)" } ?? "available: the kernel has no modules"),
                    hint: "add it with --module")
            }
            open.insert(name)
            stack.append(try waiting(info, isWish: isWish))
        }
    }

    private mutating func waiting(_ info: ModuleInfo, isWish: Bool) throws(VMError) -> Waiting {
        Waiting(
            info: info, isWish: isWish, wishes: try wished(info.wishesBefore, by: info))
    }

    /// The modules below `folder`, by name. Its links `build` and `source` are not followed.
    private static func files(below folder: String?) throws(VMError) -> [String: String] {
        guard let folder else { return [:] }
        var found: [String: String] = [:]
        do throws(HostError) {
            for path in try Directory.walk(folder, suffixes: ModuleName.suffixes) {
                found[ModuleName.ofFile(path)] = path
            }
        } catch { throw VMError(error) }
        return found
    }
}
