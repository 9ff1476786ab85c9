// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import DWARF
import DWARFToBTF
import ELF

/// A file's debug information, and where it is.
struct DebugInfo {
    let data: DWARFData
    /// The file itself, or its separate debug file.
    let path: String

    /// Finds the debug information of `elf`: its own, else that of its separate debug file (by build id or
    /// `.gnu_debuglink`); and the common part that dwz may have moved away.
    ///
    /// - Parameters:
    ///   - roots: folders laid out like `/usr/lib/debug`, tried before it.
    ///   - separation: of a separate debug file, see `ELFFile`.
    init(of elf: ELFFile, roots: [String], separation: SectionSeparation) throws(Failure) {
        let source = try DebugInfo.source(of: elf, roots, separation)
        var common: DWARFData?
        if source.section(named: ".gnu_debugaltlink") != nil {
            let alternate: ELFFile?
            do throws(ELFError) {
                alternate =
                    if let path = try DebugFiles.alternate(for: source, roots: roots) {
                        try ELFFile(path: path)
                    } else { nil }
            } catch { throw Failure(error) }
            guard let alternate else {
                throw Failure(
                    "\(source.path): .gnu_debugaltlink: the file that it names is not there",
                    hint: "install the debug package's common part, or unpack it under a --sysroot")
            }
            common = try DebugInfo.read(alternate, nil)
        }
        data = try DebugInfo.read(source, common)
        path = source.path
    }

    /// The file that has the `.debug_info`.
    private static func source(
        of elf: ELFFile, _ roots: [String], _ separation: SectionSeparation
    ) throws(Failure) -> ELFFile {
        if DWARFData.isIn(elf) { return elf }
        do throws(ELFError) {
            if let path = try DebugFiles.separate(for: elf, roots: roots) {
                return try ELFFile(path: path, separation: separation)
            }
        } catch { throw Failure(error) }
        throw Failure(EncodeError.noDebugInfo, path: elf.path)
    }

    private static func read(_ elf: ELFFile, _ common: DWARFData?) throws(Failure) -> DWARFData {
        do throws(DWARFReadError) { return try DWARFData(elf, alternate: common) } catch {
            throw Failure(EncodeError.read(error), path: elf.path)
        }
    }
}
