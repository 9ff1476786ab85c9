// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import ELF
import HostIO

/// Finds the `.dwo` files of split units and opens them.
package struct SplitFiles {
    private let data: DWARFData
    /// Folders that a moved build tree may have brought the files to, each ended by a slash.
    private let folders: [String]

    /// - Parameters:
    ///   - data: has the skeletons.
    ///   - paths: the files that the debug information is of.
    package init(_ data: DWARFData, of paths: [String]) {
        self.data = data
        var folders: [String] = []
        for path in paths {
            for folder in DebugFiles.folders(of: path) where !folders.contains(folder) {
                folders.append(folder)
            }
        }
        self.folders = folders
    }

    package enum Found: Equatable {
        case file
        /// There is none at these paths.
        case missing([String])
        /// The file holds only units of other builds.
        case otherBuild(path: String, id: UInt64?)
        /// The file has type units.
        case typeUnits(path: String)
    }

    /// Looks where the compiler wrote the file, then beside the file with the skeleton. `unit` gets its path.
    package func find(_ unit: inout SplitUnit) throws(SplitFileError) -> Found {
        var missing: [String] = []
        var other: Found?
        for path in candidates(unit) where !missing.contains(path) {
            let status = FileStatus(path)
            guard status.isRegular else {
                missing.append(path)
                continue
            }
            let split = try SplitFiles.open(path, of: data)
            guard !split.hasTypeUnits else {
                other = other ?? .typeUnits(path: path)
                continue
            }
            do throws(DWARFError) {
                guard try split.data.splitUnit(id: unit.id) != nil else {
                    let first = try split.data.units.first.map { first throws(DWARFError) in
                        try split.data.splitID(of: first)
                    }
                    other = other ?? .otherBuild(path: path, id: first ?? nil)
                    continue
                }
            } catch { throw .dwarf(path, error) }
            unit.path = path
            unit.size = status.size
            return .file
        }
        return other ?? .missing(missing)
    }

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

    /// The sections of the `.dwo` file at `path`.
    package static func open(
        _ path: String, of skeleton: DWARFData
    ) throws(SplitFileError) -> (data: DWARFData, hasTypeUnits: Bool) {
        do {
            let elf = try ELFFile(path: path)
            // Each has a section of its own.
            if elf.sections(named: ".debug_info.dwo").count > 1
                || elf.section(named: ".debug_types.dwo") != nil
            {
                return (skeleton, true)
            }
            let data = try DWARFData(split: elf, of: skeleton)
            return (data, data.units.contains { $0.sort == .splitType })
        } catch let error as DWARFReadError {
            if case .dwarf(let error) = error { throw .dwarf(path, error) }
            throw .other(error.description)
        } catch {
            throw .other("\(error)")
        }
    }
}

/// Why a `.dwo` file cannot be read.
package enum SplitFileError: Error, CustomStringConvertible {
    case dwarf(String, DWARFError)
    /// Names the file.
    case other(String)

    package var description: String {
        switch self {
        case .dwarf(let path, let error): "\(path): \(error)"
        case .other(let text): text
        }
    }
}

extension DWARFData {
    /// The unit with this id of a `.dwo` file.
    package func splitUnit(id: UInt64) throws(DWARFError) -> Unit? {
        for unit in units where try splitID(of: unit) == id { return unit }
        return nil
    }

    /// What a unit and its skeleton have in common; nil when the unit has none.
    func splitID(of unit: Unit) throws(DWARFError) -> UInt64? {
        if unit.sort == .splitCompile { return unit.signature }
        guard unit.encoding.version < 5 else { return nil }
        return try rootAttributes(of: unit, abbreviationCompiler(for: unit))
            .first { $0.attribute == .gnuDwoID }?.value
    }
}
