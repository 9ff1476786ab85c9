// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import ELF
internal import HostIO
internal import Synchronization

/// Names of modules' files and of their debug files.
enum ModulePath {
    static let compressions = [".xz", ".zst", ".gz"]

    /// Suffixes of debug files of modules.
    static let debugSuffixes =
        [".ko", ".ko.debug"]
        + compressions.flatMap { [".ko\($0)", ".ko.debug\($0)", ".ko\($0).debug"] }

    /// The part after the last slash.
    static func fileName(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// `x.ko` for `x.ko.xz`.
    static func withoutCompression(_ file: String) -> String {
        compressions.first { file.hasSuffix($0) }.map { String(file.dropLast($0.count)) } ?? file
    }

    static func canonical(_ name: String) -> String {
        String(name.map { $0 == "-" ? "_" : $0 })
    }

    /// `snd_pcm` for `/x/snd-pcm.ko.xz`.
    static func moduleName(of path: String) -> String {
        let file = fileName(of: path)
        return canonical(String(file[..<(file.firstIndex(of: ".") ?? file.endIndex)]))
    }

    /// Possible names of the debug file of `file`: Debian and Ubuntu keep the name, Fedora and
    /// openSUSE add `.debug`, in some versions to the compressed module's name; each may be
    /// compressed.
    static func debugNames(of file: String) -> [String] {
        let plain = withoutCompression(file)
        var names = [plain, plain + ".debug"]
        if plain.hasSuffix(".ko") { names.append(plain.dropLast(3) + ".debug") }
        names += compressions.map { plain + $0 + ".debug" }
        for compression in compressions {
            names += [plain + ".debug" + compression, plain + compression]
        }
        return names
    }

    /// The module's path below `lib/modules/R`, according to its own path:
    /// `kernel/net/sctp/sctp.ko`.
    static func places(in path: String, release: String) -> [String] {
        let parts = path.split(separator: "/")
        var places: [String] = []
        for (index, part) in parts.enumerated().dropLast() {
            if part == release, index > 0, parts[index - 1] == "modules" {
                places.insert(parts[(index + 1)...].joined(separator: "/"), at: 0)
            } else if part == "kernel" {
                places.append(parts[index...].joined(separator: "/"))
            }
        }
        return Array(places.prefix(8))
    }

    /// The part before `lib/modules/R`, if the path has that: the root of an unpacked system.
    static func root(in path: String, release: String) -> String? {
        for middle in ["/usr/lib/modules/", "/lib/modules/"] {
            var rest = path[...]
            while let slash = rest.lastIndex(of: "/") {
                if path[slash...].hasPrefix(middle + release + "/") {
                    return String(path[..<slash])
                }
                rest = rest[..<slash]
            }
        }
        return nil
    }
}

extension DebugFileSearch {
    /// Candidates where a module's debug file has the module's own path below `/lib/modules/R`.
    func inModuleTrees(_ elf: ELFFile, _ match: DebugFileMatch) -> () -> [String] {
        {
            guard let module = match.module else { return [] }
            let folders = DebugFiles.folders(of: elf.path)
            let file = ModulePath.fileName(of: elf.path)
            var roots = self.roots
            var below: [String] = []
            for folder in folders {
                if let root = ModulePath.root(in: folder, release: module.release) {
                    roots.insert(root + DebugFiles.standardRoot, at: 0)
                }
                for place in ModulePath.places(in: folder + file, release: module.release)
                where !below.contains(place) {
                    below.append(place)
                }
            }
            var places: [String] = []
            for place in below {
                let folder = place.dropLast(ModulePath.fileName(of: place).count)
                let names = ModulePath.debugNames(of: ModulePath.fileName(of: place))
                for root in roots {
                    for tree in Self.trees(in: root, release: module.release) {
                        places += names.map { "\(tree)/\(folder)\($0)" }
                    }
                }
            }
            return places
        }
    }

    private static func trees(in root: String, release: String) -> [String] {
        ["\(root)/lib/modules/\(release)", "\(root)/usr/lib/modules/\(release)"]
    }

    /// Files with the module's name anywhere in its kernel's trees of debug files.
    func listedModules(_ match: DebugFileMatch) -> () -> [String] {
        {
            // It becomes part of a path.
            guard let module = match.module, !module.release.isEmpty,
                !module.release.utf8.contains(UInt8(ascii: "/")), module.release != ".."
            else { return [] }
            return self.roots.flatMap { root in
                Self.trees(in: root, release: module.release).flatMap {
                    self.modules(in: $0)[module.name] ?? []
                }
            }
        }
    }

    /// Paths by module name; each directory is listed once.
    private func modules(in folder: String) -> [String: [String]] {
        listed.withLock { listed in
            if let known = listed[folder] { return known }
            var found: [String: [String]] = [:]
            if FileStatus(folder).isDirectory,
                let paths = try? Directory.walk(
                    folder, suffixes: ModulePath.debugSuffixes, omit: { _ in })
            {
                for path in paths {
                    found[ModulePath.moduleName(of: path), default: []].append(path)
                }
            }
            listed[folder] = found
            return found
        }
    }
}
