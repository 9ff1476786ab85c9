// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import DWARF
import DWARFToBTF
import ELF
import HostIO
import KernelTree

/// A file's debug information, and where it was found.
struct DebugInfo {
    let data: DWARFData
    /// The file itself, or its separate debug file.
    let path: String
    /// Units whose debug information is in files of their own; those without a path were not found.
    let splitUnits: [SplitUnit]
    /// Why some units are not read: the first problem, and the places searched.
    private let splitProblem: String?
    private let splitPlaces: [String]

    /// Finds the debug information of `elf`: its own, else that of its separate debug file; and the
    /// common part that dwz may have extracted.
    init(of elf: ELFFile, _ search: DebugFileSearch) throws(Failure) {
        let source = try DebugInfo.source(of: elf, search)
        var common: DWARFData?
        if source.section(named: ".gnu_debugaltlink") != nil {
            let alternate: ELFFile?
            do throws(ELFError) {
                alternate =
                    if let path = try DebugFiles.alternate(for: source, roots: search.roots) {
                        try ELFFile(path: path)
                    } else { nil }
            } catch { throw Failure(error) }
            guard let alternate else {
                throw Failure(
                    "\(source.path): .gnu_debugaltlink: the file that it names does not exist",
                    hint: "install the debug package's common part, or unpack it under a --sysroot")
            }
            common = try DebugInfo.read(alternate, nil)
        }
        let data = try DebugInfo.read(source, common)
        self.data = data
        path = source.path
        (splitUnits, splitProblem, splitPlaces) = try DebugInfo.findSplit(
            data, of: elf.path == source.path ? [elf.path] : [source.path, elf.path])
    }

    private static func findSplit(
        _ data: DWARFData, of paths: [String]
    ) throws(Failure) -> ([SplitUnit], String?, [String]) {
        var units: [SplitUnit]
        do throws(DWARFError) { units = try data.splitUnits() } catch {
            throw Failure(EncodeError.dwarf(error), path: paths[0])
        }
        let files = SplitFiles(data, of: paths)
        var problem: (what: String, places: [String])?
        for index in units.indices {
            let name = units[index].file
            let found: SplitFiles.Found
            do throws(SplitFileError) { found = try files.find(&units[index]) } catch {
                throw Failure(EncodeError.split(error), path: paths[0])
            }
            switch found {
            case .file: break
            case .missing(let places):
                let package = paths.map { $0 + ".dwp" }.first { FileStatus($0).isRegular }
                let also =
                    package.map { "; \($0), a package of such files, is not supported" } ?? ""
                problem = problem ?? ("\(name) (-gsplit-dwarf), which is missing\(also)", places)
            case .typeUnits(let path):
                problem =
                    problem
                    ?? ("\(path) (-gsplit-dwarf), which is not supported: it has type units", [])
            case .otherBuild(let path, let id):
                throw Failure(
                    "\(paths[0]): its debug information is in \(name) (-gsplit-dwarf), but \(path) is from another "
                        + "build: id \(id.map { hex($0) } ?? "missing"), not \(hex(units[index].id))",
                    hint: "rebuild both")
            }
        }
        return (units, problem?.what, problem?.places ?? [])
    }

    private static func hex(_ id: UInt64) -> String { "0x" + String(id, radix: 16) }

    private static let splitHint =
        "keep the .dwo files where the build wrote them or beside the file, or rebuild with -gno-split-dwarf "
        + "(kernels: CONFIG_DEBUG_INFO_SPLIT=n)"

    /// Units that are not read.
    private var missingUnits: [SplitUnit] { splitUnits.filter { $0.path == nil } }

    /// Why a file has no BTF if all of its units with types are missing; nil if none is missing.
    var splitFailure: Failure? {
        guard let splitProblem else { return nil }
        var failure = Failure(
            "\(path): its debug information is in \(splitProblem)", hint: DebugInfo.splitHint)
        if !splitPlaces.isEmpty {
            failure.details = ["  nothing at:"] + splitPlaces.map { "    \($0)" }
        }
        return failure
    }

    /// What the BTF lacks if some units are not read; nil if all are.
    var splitWarning: String? {
        guard let splitProblem else { return nil }
        let missing = missingUnits
        let others = missing.dropFirst().prefix(2).map(\.file).joined(separator: ", ")
        let more = missing.count > 1 ? "; also \(others)\(missing.count > 3 ? ", ..." : "")" : ""
        return
            "\(path): warning: \(missing.count) of \(data.units.count) units are left out: their debug "
            + "information is in \(splitProblem)\(more)"
    }

    /// The search for separate debug files, including compressed ones.
    ///
    /// - Parameters:
    ///   - folders: roots to search before `/`.
    ///   - separation: for the files found, see `ELFFile`.
    static func search(folders: [String], separation: SectionSeparation) -> DebugFileSearch {
        DebugFileSearch(roots: folders.map { $0 + DebugFiles.standardRoot }) {
            path throws(ELFError) in
            var view: ByteView
            do throws(HostError) { view = try FileReader.map(path) } catch { throw .host(error) }
            if let format = CompressionFormat.detect(view), format.isSupported {
                do throws(DecompressionError) {
                    view = try decompress(view, format: format, concatenated: true)
                } catch {
                    throw .file(
                        path: path, section: nil, offset: nil, fault: .badCompression("\(error)"))
                }
            }
            return try ELFFile(view, path: path, separation: separation)
        }
    }

    /// The file that has the `.debug_info`.
    private static func source(
        of elf: ELFFile, _ search: DebugFileSearch
    ) throws(Failure) -> ELFFile {
        if DWARFData.isIn(elf) { return elf }
        let found: DebugFileSearch.Result
        do throws(ELFError) { found = try search.file(for: elf) } catch { throw Failure(error) }
        if let file = found.file { return file }
        throw notFound(elf, found.attempts)
    }

    /// No debug information: a summary of the places searched; all of them with `-v`.
    private static func notFound(
        _ elf: ELFFile, _ attempts: [DebugFileSearch.Attempt]
    ) -> Failure {
        var failure = Failure(EncodeError.noDebugInfo, path: elf.path)
        let rejected = attempts.filter { $0.reason != nil }
        let release = elf.section(named: ".modinfo") == nil ? nil : KernelRelease.of(elf)
        guard release != nil || !rejected.isEmpty else { return failure }
        failure.message += "; no debug file for it in \(attempts.count) places"
        if let first = rejected.first {
            failure.message += ": \(first.path) \(first.reason ?? "")"
            if rejected.count > 1 { failure.message += " (and \(rejected.count - 1) more)" }
        }
        if let release {
            failure.hint =
                "install the kernel's debug package (Debian: linux-image-\(release)-dbg, Fedora: kernel-debuginfo), "
                + "or unpack it into DIR and add --sysroot DIR"
        }
        failure.details = rejected.map { "  \($0.path): \($0.reason ?? "")" }
        failure.details.append("  nothing at:")
        failure.details += attempts.filter { $0.reason == nil }.map { "    \($0.path)" }
        return failure
    }

    private static func read(_ elf: ELFFile, _ common: DWARFData?) throws(Failure) -> DWARFData {
        do throws(DWARFReadError) { return try DWARFData(elf, alternate: common) } catch {
            throw Failure(EncodeError.read(error), path: elf.path)
        }
    }
}
