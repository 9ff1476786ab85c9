// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import DWARF
import DWARFToBTF
import ELF
import TestSupport

/// What a file with split units comes to.
struct SplitOutcome {
    let btf: BTF
    /// `name: reason`.
    let ledger: [String]
    let missing: [SplitFiles.Missing]

    init(of path: String, jobs: Int = 1) throws {
        let elf = try ELFFile(path: path)
        let data = try DWARFData(elf)
        let files = try SplitFiles(data, of: [path])
        var options = EncodeOptions()
        options.keepsLedger = true
        options.jobs = jobs
        let result = try encode(elf, data, split: files, base: nil, options: options)
        btf =
            try result.bytes.isEmpty ? BTFAssembler().parse() : BTF.parse(ByteView(result.bytes))
        ledger = result.ledger?.entries.map { "\($0.name): \($0.reason.rawValue)" } ?? []
        missing = files.missing
    }

    static func skeletons(_ path: String) throws -> [SplitUnit] {
        try DWARFData(ELFFile(path: path)).splitUnits()
    }
}
