// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF
import HostIO

/// The checksums of the symbols that a kernel and its modules export: `Module.symvers`, lines of
/// checksum, name, module, kind and namespace, with tabs between them.
struct SymbolVersions: Sendable {
    private let checksums: [String: UInt32]

    /// nil if the file is missing or no such list.
    static func read(_ path: String) -> SymbolVersions? {
        guard FileStatus(path).isRegular, let view = try? FileReader.map(path),
            view.count <= 64 << 20
        else { return nil }
        var checksums: [String: UInt32] = [:]
        for line in view.array.split(separator: 10) {
            let fields = line.split(separator: 9, maxSplits: 2)
            guard fields.count == 3, fields[0].starts(with: Array("0x".utf8)),
                let checksum = UInt32(
                    String(decoding: fields[0].dropFirst(2), as: UTF8.self), radix: 16)
            else { continue }
            checksums[String(decoding: fields[1], as: UTF8.self)] = checksum
        }
        // Without CONFIG_MODVERSIONS all of them are 0.
        guard checksums.values.contains(where: { $0 != 0 }) else { return nil }
        return SymbolVersions(checksums: checksums)
    }

    /// The symbols in a module's `__versions` that have another checksum here. Symbols that are
    /// not known here may be other modules'.
    func differences(from module: ELFFile) -> [String] {
        guard let section = module.section(named: "__versions"), section.hasData,
            let data = try? module.rawData(of: section)
        else { return [] }
        // struct modversion_info: unsigned long crc; char name[64 - sizeof(unsigned long)].
        let word = module.is64Bit ? 8 : 4
        var found: [String] = []
        var at = 0
        while let entry = data.slice(at, 64) {
            at += 64
            let name = entry.array.dropFirst(word).prefix { $0 != 0 }
            let place = module.isBigEndian ? word - 4 : 0
            let bytes = entry.array[place..<place + 4]
            let checksum = (module.isBigEndian ? Array(bytes) : bytes.reversed())
                .reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let text = String(decoding: name, as: UTF8.self)
            if let known = checksums[text], known != checksum { found.append(text) }
        }
        return found
    }
}
