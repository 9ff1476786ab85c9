// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Console
import DWARF
import DWARFToBTF
import ELF
import HostIO
import Report

/// Counts the bytes of files' BTF by source file, with the debug information that `kbtf encode`
/// would read.
struct UnitSizes: Sendable {
    private let debugFiles: DebugFileSearch

    init(_ search: SearchPlaces) {
        debugFiles = DebugInfo.search(folders: search.folders, separation: .none)
    }

    /// - Throws: for a file without debug information, or with damage in it.
    func count(
        _ path: String, _ btf: BTF, _ account: SizeAccount
    ) throws(Failure) -> [SizedFile.Unit] {
        let contents = try BTFFile.contents(of: path)
        let elf: ELFFile
        do throws(ELFError) { elf = try ELFFile(contents.view, path: path) } catch {
            throw Failure(error)
        }
        let info = try DebugInfo(of: elf, debugFiles)
        let units: DefiningUnits
        do throws(DWARFError) { units = try DefiningUnits(info.data) } catch {
            throw Failure(EncodeError.dwarf(error), path: info.path)
        }
        let sums = account.units(of: btf, count: units.names.count) {
            units.unit(of: $0, named: $1)
        }
        // Units of one source file are one.
        var byName: [String: SizeSum] = [:]
        for (index, sum) in sums.enumerated() where sum.types > 0 {
            let name = index < units.names.count ? units.names[index] : ""
            byName[name.isEmpty ? "(no source file)" : name, default: SizeSum()] += sum
        }
        return byName.sorted { $0.key < $1.key }.map { SizedFile.Unit(name: $0.key, sum: $0.value) }
    }
}
