// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import ELF
import HostIO
internal import Synchronization

/// Finds the files with the entries of split units, and opens each once. Shared by threads.
package final class SplitFiles: Sendable {
    /// In file order.
    package let units: [SplitUnit]
    /// The file with the skeletons, as named in messages.
    private let owner: String
    private let data: DWARFData
    /// Directories to which a moved build tree may have brought the files, each with a trailing
    /// slash.
    private let folders: [String]
    private let packagePaths: [String]
    private let state = Mutex(State())
    private let packages = Mutex<[SplitFile]?>(nil)
    private let repeats: ReadAllowance

    private struct State {
        /// Files with more than one unit, by path.
        var files: [String: SplitFile] = [:]
        var ids: Set<UInt64> = []
        var deferred: [String: Deferred] = [:]
        var missing: [Missing] = []
    }

    /// Units that are read together, because they refer to the type units of their file.
    package struct Deferred: Sendable {
        package let file: SplitFile
        package fileprivate(set) var units: [SplitUnit]
    }

    /// A unit whose entries were not found.
    package struct Missing: Sendable, Equatable {
        package let unit: SplitUnit
        /// Paths that do not exist.
        package let places: [String]
        /// Packages without the unit, and the number of units in each.
        package let packages: [Package]
    }

    package struct Package: Sendable, Equatable {
        package let path: String
        package let unitCount: Int
    }

    package enum Found: Sendable {
        case entries(SplitEntries, SplitFile)
        /// Now in `deferred`.
        case withTypeUnits
        /// Now in `missing`.
        case missing
    }

    /// - Parameters:
    ///   - data: has the skeletons.
    ///   - paths: the files that the debug information belongs to; the first one contains it.
    /// - Throws: for skeletons that cannot be read.
    package init(_ data: DWARFData, of paths: [String]) throws(DWARFError) {
        self.data = data
        units = try data.splitUnits()
        owner = paths.first ?? ""
        var folders: [String] = []
        var packages: [String] = []
        if !units.isEmpty {
            for path in paths {
                for folder in DebugFiles.folders(of: path) where !folders.contains(folder) {
                    folders.append(folder)
                }
                for package in Self.packages(of: path) where !packages.contains(package) {
                    packages.append(package)
                }
            }
        }
        self.folders = folders
        packagePaths = packages
        repeats = ReadAllowance(for: data.info.count)
    }

    /// `m.ko.dwp` and `m.dwp`, the names used by linkers and packagers.
    private static func packages(of path: String) -> [String] {
        var found: [String] = []
        for path in DebugFiles.paths(of: path) {
            let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
            var file = String(path.dropFirst(folder.count))
            found.append(folder + file + ".dwp")
            while let dot = file.lastIndex(of: "."), dot > file.startIndex {
                file = String(file[..<dot])
                found.append(folder + file + ".dwp")
            }
        }
        return found
    }

    /// Searches where the compiler wrote the `.dwo` file, then beside the file with the skeleton,
    /// then in the package beside that.
    package func find(_ unit: SplitUnit) throws(SplitFileError) -> Found {
        var places: [String] = []
        var other: (path: String, id: UInt64?)?
        for path in candidates(unit) where !places.contains(path) {
            guard let file = try object(path) else {
                places.append(path)
                continue
            }
            if let entries = try file.entries(id: unit.id) { return try found(unit, entries, file) }
            other = other ?? (path, file.someID)
        }
        let packages = try openPackages()
        for file in packages {
            if let entries = try file.entries(id: unit.id) { return try found(unit, entries, file) }
        }
        if let other {
            throw .otherBuild(
                of: owner, name: unit.file, path: other.path, id: other.id, expected: unit.id)
        }
        let missing = Missing(
            unit: unit,
            places: places + packagePaths.filter { path in !packages.contains { $0.path == path } },
            packages: packages.map { Package(path: $0.path, unitCount: $0.count) })
        state.withLock { $0.missing.append(missing) }
        return .missing
    }

    private func found(
        _ unit: SplitUnit, _ entries: SplitEntries, _ file: SplitFile
    ) throws(SplitFileError) -> Found {
        let isDeferred = file.hasTypeUnits
        let isNew = state.withLock { state in
            if isDeferred {
                state.deferred[file.path, default: Deferred(file: file, units: [])].units.append(
                    unit)
            }
            return state.ids.insert(unit.id).inserted
        }
        guard isNew || repeats.take(entries.unit.end - entries.unit.offset) else {
            throw .other(
                "\(owner): split units have the same id, 0x\(String(unit.id, radix: 16)), so often that their entries "
                    + "would be read again and again")
        }
        return isDeferred ? .withTypeUnits : .entries(entries, file)
    }

    /// Forgets what was found, to start over.
    package func restart() {
        state.withLock { state in
            state.ids = []
            state.deferred = [:]
            state.missing = []
        }
    }

    /// Units that are still to be read, in file order.
    package var deferred: [Deferred] {
        var all = state.withLock { Array($0.deferred.values) }
        for index in all.indices { all[index].units.sort { $0.index < $1.index } }
        return all.sorted { $0.units[0].index < $1.units[0].index }
    }

    /// In file order.
    package var missing: [Missing] {
        state.withLock { $0.missing }.sorted { $0.unit.index < $1.unit.index }
    }

    // MARK: Files

    private func candidates(_ unit: SplitUnit) -> [String] {
        let name = unit.file.lastIndex(of: "/").map { unit.file[unit.file.index(after: $0)...] }
        var paths: [String] = []
        if unit.file.hasPrefix("/") {
            paths.append(unit.file)
        } else {
            if !unit.directory.isEmpty { paths.append(unit.directory + "/" + unit.file) }
            paths += folders.map { $0 + unit.file }
        }
        if let name { paths += folders.map { $0 + name } }
        return paths
    }

    /// nil if there is nothing at the path.
    private func object(_ path: String) throws(SplitFileError) -> SplitFile? {
        if let known = state.withLock({ $0.files[path] }) { return known }
        guard FileStatus(path).isRegular else { return nil }
        let file = try SplitFile(object: Self.open(path), of: data)
        // A file with one unit is not requested again.
        if file.count != 1 { state.withLock { $0.files[path] = file } }
        return file
    }

    private func openPackages() throws(SplitFileError) -> [SplitFile] {
        try packages.withLock { known throws(SplitFileError) in
            if let known { return known }
            var opened: [SplitFile] = []
            var identities: Set<[UInt64]> = []
            for path in packagePaths {
                let status = FileStatus(path)
                guard status.isRegular, let identity = status.identity,
                    identities.insert(identity).inserted
                else { continue }
                opened.append(try SplitFile(package: Self.open(path), of: data))
            }
            known = opened
            return opened
        }
    }

    private static func open(_ path: String) throws(SplitFileError) -> ELFFile {
        do throws(ELFError) { return try ELFFile(path: path) } catch {
            throw .other(error.description)
        }
    }
}

/// Why the entries of split units cannot be read.
package enum SplitFileError: Error, CustomStringConvertible {
    case dwarf(String, DWARFError)
    /// The file has units, but not the one that the skeleton names.
    case otherBuild(of: String, name: String, path: String, id: UInt64?, expected: UInt64)
    /// The description names the file.
    case other(String)

    package var description: String {
        switch self {
        case .dwarf(let path, let error): "\(path): \(error)"
        case .otherBuild(let owner, let name, let path, let id, let expected):
            "\(owner): its debug information is in \(name) (-gsplit-dwarf), but \(path) is of another build: id "
                + "\(id.map { "0x" + String($0, radix: 16) } ?? "missing"), not 0x\(String(expected, radix: 16))"
        case .other(let text): text
        }
    }
}
