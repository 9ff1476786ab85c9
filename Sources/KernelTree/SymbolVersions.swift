// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
package import ELF
import HostIO

/// The checksums of the symbols that a kernel exports, which modules must agree with where the
/// kernel was built with CONFIG_MODVERSIONS.
package struct SymbolVersions: Sendable {
    /// The file they are from.
    package let path: String
    private let checksums: [String: UInt32]

    private init?(_ path: String, _ checksums: [String: UInt32]) {
        // Without CONFIG_MODVERSIONS all of them are 0.
        guard checksums.values.contains(where: { $0 != 0 }) else { return nil }
        self.path = path
        self.checksums = checksums
    }

    /// Those in a `Module.symvers`, of the kernel and its modules: lines of checksum, name, module,
    /// kind and namespace, with tabs between them. nil if the file is missing or no such list.
    package static func read(_ path: String) -> SymbolVersions? {
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
        return SymbolVersions(path, checksums)
    }

    /// Those of the kernel in a vmlinux; nil if it has none, or cannot be read.
    ///
    /// - Parameter path: the file that contains it.
    package static func inKernel(_ vmlinux: ByteView, _ path: String) -> SymbolVersions? {
        guard let elf = try? ELFFile(vmlinux, path: path) else { return nil }
        var checksums: [String: UInt32] = [:]
        for suffix in ["", "_gpl"] {
            guard let table = ExportTable(elf, suffix) else { continue }
            for index in 0..<table.count {
                guard let name = table.name(index) else { return nil }
                checksums[name] = table.checksum(index)
            }
        }
        return SymbolVersions(path, checksums)
    }

    /// The symbols that a module was built against with another checksum than here. Symbols that
    /// are not known here may be other modules'.
    package func differences(from module: ELFFile) -> [String] {
        SymbolVersions.expected(by: module).filter { name, checksum in
            checksums[name].map { $0 != checksum } ?? false
        }.map(\.name)
    }

    /// What a module expects, in its order. As kernels do, `__version_ext_crcs` (Linux 6.14) is
    /// read instead of `__versions` where a module has both.
    private static func expected(by module: ELFFile) -> [(name: String, checksum: UInt32)] {
        func data(_ name: String) -> ByteView? {
            guard let section = module.section(named: name), section.hasData else { return nil }
            return try? module.rawData(of: section)
        }
        if let words = data("__version_ext_crcs"), let names = data("__version_ext_names"),
            let checksums = words.words(
                at: 0, count: words.count / 4, bigEndian: module.isBigEndian)
        {
            let list = names.array.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return zip(list, checksums).map { (name: $0, checksum: $1) }
        }
        guard let entries = data("__versions") else { return [] }
        // struct modversion_info: unsigned long crc; char name[64 - sizeof(unsigned long)].
        let word = module.is64Bit ? 8 : 4
        let place = module.isBigEndian ? word - 4 : 0
        return stride(from: 0, to: entries.count / 64 * 64, by: 64).compactMap { at in
            guard let name = entries.slice(at + word, 64 - word),
                let checksum = entries.words(
                    at: at + place, count: 1, bigEndian: module.isBigEndian)?.first
            else { return nil }
            return (
                name: String(decoding: name.array.prefix { $0 != 0 }, as: UTF8.self),
                checksum: checksum
            )
        }
    }
}

/// `__ksymtab` and `__kcrctab` of a kernel, or those with `_gpl` at their end
/// (include/linux/export-internal.h).
private struct ExportTable {
    private let entries: ByteView
    private let checksums: [UInt32]
    private let names: ByteView
    /// Where the kernel has entries and names, so that one finds the other.
    private let address: UInt64
    private let namesAddress: UInt64
    /// Offsets from where they are stored (CONFIG_HAVE_ARCH_PREL32_RELOCATIONS), or addresses.
    private let isRelative: Bool
    private let bigEndian: Bool

    var count: Int { checksums.count }

    /// nil for a kernel without checksums.
    init?(_ elf: ELFFile, _ suffix: String) {
        guard let table = elf.section(named: "__ksymtab" + suffix),
            let sums = elf.section(named: "__kcrctab" + suffix),
            let strings = elf.section(named: "__ksymtab_strings"),
            let entries = try? elf.rawData(of: table), let raw = try? elf.rawData(of: sums),
            let names = try? elf.rawData(of: strings),
            let checksums = raw.words(at: 0, count: raw.count / 4, bigEndian: elf.isBigEndian),
            !checksums.isEmpty
        else { return nil }
        // Three words each, of four bytes or eight.
        switch entries.count {
        case checksums.count * 12: isRelative = true
        case checksums.count * 24: isRelative = false
        default: return nil
        }
        self.entries = entries
        self.checksums = checksums
        self.names = names
        address = table.address
        namesAddress = strings.address
        bigEndian = elf.isBigEndian
    }

    func checksum(_ index: Int) -> UInt32 { checksums[index] }

    /// nil for an entry that leads elsewhere.
    func name(_ index: Int) -> String? {
        let target: UInt64
        if isRelative {
            let at = index * 12 + 4
            guard let word = entries.words(at: at, count: 1, bigEndian: bigEndian)?.first else {
                return nil
            }
            target =
                address &+ UInt64(at) &+ UInt64(bitPattern: Int64(Int32(bitPattern: word)))
        } else {
            guard
                let words = entries.words(at: index * 24 + 8, count: 2, bigEndian: bigEndian)
            else { return nil }
            let (low, high) = bigEndian ? (words[1], words[0]) : (words[0], words[1])
            target = UInt64(high) << 32 | UInt64(low)
        }
        let offset = target &- namesAddress
        guard offset < UInt64(names.count) else { return nil }
        return names.cString(at: Int(offset))
    }
}
