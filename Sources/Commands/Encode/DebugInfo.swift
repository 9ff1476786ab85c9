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
    /// The files of units whose debug information is not here (`-gsplit-dwarf`).
    let splitFiles: SplitFiles

    /// Finds the debug information of `elf`: its own, else that of its separate debug file; and the
    /// common part that dwz may have extracted.
    ///
    /// - Parameter readsRanges: read where code in several ranges is as well.
    init(
        of elf: ELFFile, _ search: DebugFileSearch, readsRanges: Bool = false
    ) throws(Failure) {
        let source = try DebugInfo.source(of: elf, search)
        var common: DWARFData?
        let link: String?
        do throws(ELFError) { link = try DebugFiles.alternateSection(of: source) } catch {
            throw Failure(error)
        }
        if let link {
            let alternate: ELFFile?
            do throws(ELFError) {
                alternate =
                    if let path = try DebugFiles.alternate(for: source, roots: search.roots) {
                        try ELFFile(path: path)
                    } else { nil }
            } catch { throw Failure(error) }
            guard let alternate else {
                throw Failure(
                    "\(source.path): \(link): the file that it names does not exist",
                    hint: "install the debug package's common part, or unpack it under a --sysroot")
            }
            common = try DebugInfo.read(alternate, nil, readsRanges: false)
        }
        let data = try DebugInfo.read(source, common, readsRanges: readsRanges)
        self.data = data
        path = source.path
        do throws(DWARFError) {
            splitFiles = try SplitFiles(
                data, of: elf.path == source.path ? [elf.path] : [source.path, elf.path])
        } catch { throw Failure(EncodeError.dwarf(error), path: source.path) }
    }

    /// The search for separate debug files, including compressed ones.
    ///
    /// - Parameters:
    ///   - roots: directories to search before `/`.
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
        guard elf.section(named: ".debug_info.dwo") == nil else {
            return Failure(
                "\(elf.path): holds the split debug information of another file (-gsplit-dwarf)",
                hint: "encode the object or module whose units name this file")
        }
        guard !elf.sections.contains(where: { $0.name.hasPrefix(".gnu.lto_") }) else {
            return Failure(
                "\(elf.path): not compiled yet: it has the compiler's intermediate code only (-flto)",
                hint: "encode the linked file, or compile with -ffat-lto-objects")
        }
        var failure = Failure(EncodeError.noDebugInfo, path: elf.path)
        let rejected = attempts.filter { $0.reason != nil }
        let release = elf.section(named: ".modinfo") == nil ? nil : KernelRelease.of(elf)
        guard release != nil || !rejected.isEmpty else { return failure }
        failure.message += "; no debug file for it in \(attempts.count) places"
        if let first = rejected.first {
            failure.message += ": \(first.path) \(first.reason ?? "")"
            if rejected.count > 1 { failure.message += " (and \(rejected.count - 1) more)" }
        } else {
            failure.message += " (-v lists them)"
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

    private static func read(
        _ elf: ELFFile, _ common: DWARFData?, readsRanges: Bool
    ) throws(Failure) -> DWARFData {
        do throws(DWARFReadError) {
            return try DWARFData(elf, alternate: common, readsRanges: readsRanges)
        } catch { throw Failure(EncodeError.read(error), path: elf.path) }
    }
}
