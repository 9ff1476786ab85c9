// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import ELF
internal import HostIO

/// What a stripped file says about its debug file, and whether another file matches.
struct DebugFileMatch {
    private let elf: ELFFile
    /// Its build id.
    let id: [UInt8]?
    /// Its `.gnu_debuglink`.
    let link: DebugFiles.Link?
    /// Its module identity, if it is a module.
    let module: ModuleIdentity?

    init(for elf: ELFFile) throws(ELFError) {
        self.elf = elf
        id = try DebugFiles.buildID(of: elf)
        link = try DebugFiles.link(in: elf, section: ".gnu_debuglink")
        module = ModuleIdentity(elf)
    }

    /// Why a file is not the debug file.
    enum Obstacle: Equatable, CustomStringConvertible {
        case isItself
        case noDebugInfo
        case otherMachine
        case otherID(found: String, wanted: String)
        case otherChecksum
        case otherModule(String)
        case otherLayout(section: String)

        var description: String {
            switch self {
            case .isItself: "is the file itself"
            case .noDebugInfo: "has no debug information"
            case .otherMachine: "is for another machine"
            case .otherID(let found, let wanted):
                "is from another build: build id \(found), not \(wanted)"
            case .otherChecksum: "is from another build: its checksum differs from .gnu_debuglink"
            case .otherModule(let what): "is from another build: \(what)"
            case .otherLayout(let section): "is from another build: section \(section) differs"
            }
        }
    }

    /// nil when `file` is the debug file.
    func obstacle(_ file: ELFFile) -> Obstacle? {
        if let own = FileStatus(elf.path).identity, own == FileStatus(file.path).identity {
            return .isItself
        }
        guard DWARFData.isIn(file) else { return .noDebugInfo }
        guard file.machine == elf.machine, file.is64Bit == elf.is64Bit,
            file.isBigEndian == elf.isBigEndian
        else { return .otherMachine }
        if let id, let other = try? DebugFiles.buildID(of: file) {
            return id == other
                ? nil : .otherID(found: DebugFiles.hex(other), wanted: DebugFiles.hex(id))
        }
        if let checksum = link?.checksum(bigEndian: elf.isBigEndian) {
            return checksum == DebugFiles.crc32(file.bytes) ? nil : .otherChecksum
        }
        if let module, let other = ModuleIdentity(file), let what = module.difference(other) {
            return .otherModule(what)
        }
        return differingSection(file).map { .otherLayout(section: $0) }
    }

    /// The first allocated section in which the files differ: stripping changes none of them.
    /// `.modinfo` is longer where a module says which BTF it has, and was compared already.
    private func differingSection(_ file: ELFFile) -> String? {
        func program(_ elf: ELFFile) -> [(name: String, size: UInt64)] {
            elf.sections.filter { $0.isAllocated && $0.size > 0 && $0.name != ".modinfo" }
                .map { (name: $0.name, size: $0.size) }
                .sorted { ($0.name, $0.size) < ($1.name, $1.size) }
        }
        let (own, others) = (program(elf), program(file))
        for (a, b) in zip(own, others) where a != b { return min(a.name, b.name) }
        if own.count > others.count { return own[others.count].name }
        return own.count < others.count ? others[own.count].name : nil
    }
}

/// The identity of a module in its `.modinfo`.
struct ModuleIdentity {
    /// Its name in the kernel, with `_` for `-`.
    let name: String
    let vermagic: String
    private let sourceVersion: String?

    /// The kernel it is for.
    var release: String { String(vermagic.prefix { $0 != " " }) }

    /// nil for a file that is not a module, and for a debug file without the contents of
    /// `.modinfo`.
    init?(_ elf: ELFFile) {
        guard let section = elf.section(named: ".modinfo"), section.hasData,
            let bytes = try? elf.rawData(of: section)
        else { return nil }
        var values: [String: String] = [:]
        for text in bytes.array.split(separator: 0) {
            guard let equals = text.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let key = String(decoding: text[..<equals], as: UTF8.self)
            guard ["name", "vermagic", "srcversion"].contains(key) else { continue }
            values[key] = String(decoding: text[(equals + 1)...], as: UTF8.self)
        }
        guard let vermagic = values["vermagic"] else { return nil }
        self.vermagic = vermagic
        name = ModulePath.canonical(values["name"] ?? ModulePath.moduleName(of: elf.path))
        sourceVersion = values["srcversion"]
    }

    /// Evidence that the other module is from another build; nil if there is none.
    func difference(_ other: ModuleIdentity) -> String? {
        if name != other.name { return "module \(other.name), not \(name)" }
        if vermagic != other.vermagic {
            return "vermagic '\(other.vermagic)', not '\(vermagic)'"
        }
        if let sourceVersion, let found = other.sourceVersion, found != sourceVersion {
            return "srcversion \(found), not \(sourceVersion)"
        }
        return nil
    }
}
