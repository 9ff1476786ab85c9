// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF

/// State while reading an object: its sections by role, its symbols, and its BTF.
struct ObjectReader {
    let path: String
    let elf: ELFFile
    let btf: BTF
    /// By section index.
    let roles: [Role]
    let symbols: [ELFSymbol]
    /// The strings that contain the names in `.symtab`.
    let strings: ByteView
    /// The first DATASEC with each name, since files may have many sections and many types.
    private let datasecs: [[UInt8]: TypeID]

    /// The role of a section.
    enum Role: Equatable {
        case program, data, readOnly, zero, perCPU, maps, structOps
        /// Variables of an arena.
        case arena
        case license, version, btf, btfExt
        /// Relocations of another section.
        case relocations
        case other
    }

    /// The section in which compilers place variables of address space 1, an arena's. Loaders copy
    /// them to its memory.
    static let arenaSection = ".addr_space.1"

    /// The sections whose variables become struct_ops maps: with a link since libbpf 1.2, and on
    /// request (`?`) since 1.4.
    private static let operationsSections: Set = [
        ".struct_ops", ".struct_ops.link", "?.struct_ops", "?.struct_ops.link",
    ]

    /// Longer names are not kept: a hostile file may give a million symbols the same name of a
    /// million bytes.
    static let longestName = 511

    init(_ bytes: ByteView, path: String) throws(BPFObjectError) {
        self.path = path
        guard ELFFile.isELF(bytes) else {
            throw BPFObjectError(
                file: path, "not a BPF object: it does not begin with an ELF header",
                hint: "compile with clang -g -O2 -target bpf -c")
        }
        do throws(ELFError) { elf = try ELFFile(bytes, path: path) } catch {
            throw BPFObjectError(path, error)
        }
        // Old compilers did not set the machine.
        guard elf.is64Bit, elf.type == ELFType.relocatable,
            elf.machine == ELFMachine.bpf || elf.machine == 0
        else {
            throw BPFObjectError(
                file: path,
                "not a BPF object: ELF of \(elf.is64Bit ? 64 : 32) bits, type \(elf.type), machine "
                    + "\(elf.machine), expected 64 bits, type 1, machine \(ELFMachine.bpf)",
                hint: "compile with clang -g -O2 -target bpf -c")
        }
        for section in elf.sections {
            // libbpf's linker uses it to lay out sections.
            let alignment = section.alignment
            guard alignment <= 1 << 16, alignment.nonzeroBitCount <= 1 else {
                throw BPFObjectError(
                    file: path, section: section.name,
                    "alignment \(alignment), expected a power of two up to 65536")
            }
        }
        roles = elf.sections.map(Self.role)
        let tables = elf.sections.filter { $0.type == ELFSectionType.symtab }
        guard tables.count == 1 else {
            throw BPFObjectError(
                file: path,
                tables.isEmpty ? "no symbol table" : "\(tables.count) symbol tables, expected one",
                hint: tables.isEmpty ? "do not strip the object with -s or --strip-all" : nil)
        }
        if let more = elf.sections.first(where: { $0.type == ELFSectionType.symtabShndx }) {
            throw BPFObjectError(
                file: path, section: more.name,
                "the symbols use an extended section index table, for more than 65279 sections, which libbpf does not read"
            )
        }
        do throws(ELFError) {
            symbols = try elf.symbols()
            strings = try elf.symbolStrings()
        } catch { throw BPFObjectError(path, error) }
        // Such objects often have no BTF either.
        let legacyMaps = LegacyMaps(elf: elf, path: path, strings: strings)
        try legacyMaps.checkSections(symbols)
        btf = try Self.readBTF(elf, path: path)
        datasecs = Self.datasecs(of: btf)
        try checkSymbols()
        try checkRelocationSections()
    }

    private static func role(_ section: ELFSection) -> Role {
        func named(_ name: String) -> Bool {
            section.name == name || section.name.hasPrefix(name + ".")
        }
        switch section.type {
        case ELFSectionType.rel, ELFSectionType.rela: return .relocations
        case ELFSectionType.nobits: return named(".bss") ? .zero : .other
        case ELFSectionType.progbits: break
        default: return .other
        }
        switch section.name {
        case "license": return .license
        case "version": return .version
        case ".maps": return .maps
        case ".BTF": return .btf
        case ".BTF.ext": return .btfExt
        case let name where operationsSections.contains(name) && section.size > 0:
            return .structOps
        case Self.arenaSection where section.size > 0: return .arena
        default:
            if section.size == 0 { return .other }
            if section.flags & 0x4 != 0 { return .program }  // SHF_EXECINSTR
            return named(".data")
                ? .data : named(".rodata") ? .readOnly : named(".percpu") ? .perCPU : .other
        }
    }

    private static func readBTF(_ elf: ELFFile, path: String) throws(BPFObjectError) -> BTF {
        let sections = elf.sections(named: ".BTF")
        guard let section = sections.first, sections.count == 1 else {
            throw BPFObjectError(
                file: path, section: ".BTF",
                sections.isEmpty ? "no such section" : "\(sections.count) sections have this name",
                hint: sections.isEmpty ? "compile with -g" : nil)
        }
        let raw: ByteView
        do throws(ELFError) { raw = try elf.rawData(of: section) } catch {
            throw BPFObjectError(path, error)
        }
        let parsed: BTF
        do throws(BTFError) { parsed = try BTF.parse(raw) } catch {
            throw BPFObjectError(
                file: path, section: section.name, offset: error.offset, error.message)
        }
        guard parsed.bigEndian == elf.isBigEndian else {
            throw BPFObjectError(
                file: path, section: section.name, offset: 0,
                "its byte order is not the file's")
        }
        try checkSizes(parsed, path: path)
        let report = check(raw, profile: .object, limit: 100)
        if !report.isSound {
            let fault = report.firstError
            // A name in it may be as long as the file.
            throw BPFObjectError(
                file: path, section: section.name, offset: fault?.offset,
                fault.map { String($0.message.prefix(300)) } ?? "its types are unsound",
                hint: "kbtf check --profile object \(path)")
        }
        return parsed
    }

    /// Refuses COMMON symbols and symbols in no section.
    private func checkSymbols() throws(BPFObjectError) {
        let table = elf.symbolTable?.name ?? ".symtab"
        for (number, symbol) in symbols.enumerated() {
            switch symbol.place {
            case .common:
                let name = try name(of: symbol)
                throw BPFObjectError(
                    file: path, section: table, offset: number * 24,
                    "'\(name)' is a COMMON symbol: a variable without a place in any section",
                    hint: "initialise it ('\(name) = 0'), or compile with -fno-common")
            case .section(let index):
                guard index < elf.sections.count else {
                    throw BPFObjectError(
                        file: path, section: table, offset: number * 24,
                        "symbol \(number) is in section \(index), which does not exist (of "
                            + "\(elf.sections.count))")
                }
            // libbpf's linker assumes that global symbols are in sections, and crashes if they are
            // not.
            case .reserved:
                throw BPFObjectError(
                    file: path, section: table, offset: number * 24,
                    "symbol \(number) has a reserved section index")
            case .absolute where symbol.binding != ELFSymbolCode.bindLocal:
                throw BPFObjectError(
                    file: path, section: table, offset: number * 24,
                    "symbol \(number) is global and in no section")
            case .undefined, .absolute: continue
            }
        }
    }

    /// Refuses relocations of a form that no reader of BPF objects applies.
    private func checkRelocationSections() throws(BPFObjectError) {
        for section in elf.sections where roles[section.index] == .relocations {
            guard let target = Int(exactly: section.info), target < elf.sections.count else {
                throw BPFObjectError(
                    file: path, section: section.name,
                    "it relocates section \(section.info), which does not exist")
            }
            guard isRelocated(target) else { continue }
            guard section.type == ELFSectionType.rel, section.entrySize == 16,
                section.size % 16 == 0
            else {
                throw BPFObjectError(
                    file: path, section: section.name,
                    "relocations of type \(section.type) and \(section.entrySize) bytes, expected REL of 16"
                )
            }
        }
    }

    /// Whether a loader processes the relocations of the section.
    func isRelocated(_ section: Int) -> Bool {
        switch roles[section] {
        case .program, .maps, .structOps: true
        default: false
        }
    }

    // MARK: Names and bytes

    /// - Throws: for a name outside the table, or longer than the limit.
    func name(of symbol: ELFSymbol) throws(BPFObjectError) -> String {
        if symbol.nameOffset == 0 { return "" }
        guard let name = symbol.name(in: strings), name.count <= Self.longestName else {
            throw BPFObjectError(
                file: path, section: elf.symbolTable?.name,
                "no name of at most \(Self.longestName) bytes at \(symbol.nameOffset) of the strings"
            )
        }
        return String(decoding: name.array, as: UTF8.self)
    }

    var legacyMaps: LegacyMaps { LegacyMaps(elf: elf, path: path, strings: strings) }

    /// Whether the variable is a map declared in the style before `.maps`.
    func isLegacyMap(_ symbol: ELFSymbol) throws(BPFObjectError) -> Bool {
        guard symbol.type == ELFSymbolCode.typeObject else { return false }
        let name = try name(of: symbol)
        let variable = btf.ownRecords.first { $0.kind == .var && btf.isNamed($0, name) }
        return variable.map { LegacyMaps.isTag(of: btf.plain($0.type), in: btf) } ?? false
    }

    /// The name of a symbol, or of the section it stands for.
    func shownName(of symbol: ELFSymbol) throws(BPFObjectError) -> String {
        if let index = symbol.sectionIndex, symbol.type == ELFSymbolCode.typeSection {
            return elf.sections[index].name
        }
        return try name(of: symbol)
    }

    func name(at offset: UInt32) throws(BPFObjectError) -> String {
        guard let bytes = btf.stringBytes(at: offset, atMost: Self.longestName) else {
            throw BPFObjectError(
                file: path, section: ".BTF",
                "a name at \(offset) of the strings has more than \(Self.longestName) bytes")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func bytes(of section: ELFSection) throws(BPFObjectError) -> ByteView {
        if section.isCompressed {
            throw BPFObjectError(
                file: path, section: section.name, "it is compressed, which BPF objects never are")
        }
        do throws(ELFError) { return try elf.rawData(of: section) } catch {
            throw BPFObjectError(path, error)
        }
    }

    /// The DATASEC with this name.
    func datasec(named name: String) -> Record? {
        datasecs[Array(name.utf8)].flatMap { btf.record($0) }
    }

    private static func datasecs(of btf: BTF) -> [[UInt8]: TypeID] {
        var found: [[UInt8]: TypeID] = [:]
        for record in btf.ownRecords where record.kind == .datasec {
            guard let bytes = btf.stringBytes(at: record.nameOffset, atMost: longestName) else {
                continue
            }
            let name = Array(bytes)
            if found[name] == nil { found[name] = record.id }
        }
        return found
    }

    // MARK: License and version

    func license() throws(BPFObjectError) -> String? {
        guard let section = elf.section(named: "license"), roles[section.index] == .license else {
            return nil
        }
        let text = try bytes(of: section)
        let length = text.firstIndex(of: 0) ?? text.count
        // libbpf keeps 63 bytes of it.
        guard length > 0, length < 64, let part = text.bytes(at: 0, count: length),
            part.allSatisfy({ $0 >= 0x20 && $0 < 0x7f })
        else {
            throw BPFObjectError(
                file: path, section: section.name, "not a string of 1 to 63 letters",
                hint: "char LICENSE[] SEC(\"license\") = \"GPL\";")
        }
        return String(decoding: part, as: UTF8.self)
    }

    func kernelVersion() throws(BPFObjectError) -> UInt32? {
        guard let section = elf.section(named: "version"), roles[section.index] == .version else {
            return nil
        }
        guard let words = try bytes(of: section).words(at: 0, count: 1, bigEndian: elf.isBigEndian),
            section.size == 4
        else {
            throw BPFObjectError(
                file: path, section: section.name, "\(section.size) bytes, expected 4")
        }
        return words[0]
    }

    /// Global symbols with an address. Every object has a license, so that one is left out.
    func definitions() throws(BPFObjectError) -> [BPFObject.Definition] {
        var found: [BPFObject.Definition] = []
        for symbol in symbols where symbol.binding != ELFSymbolCode.bindLocal {
            guard let index = symbol.sectionIndex, roles[index] != .license,
                roles[index] != .version
            else { continue }
            found.append(
                BPFObject.Definition(
                    name: try name(of: symbol), section: elf.sections[index].name,
                    offset: Int(clamping: symbol.value),
                    isWeak: symbol.binding == ELFSymbolCode.bindWeak))
        }
        return found
    }
}

extension BPFObjectError {
    init(_ path: String, _ error: ELFError) {
        guard case .file(_, let section, let offset, let fault) = error else {
            self.init(file: path, "\(error)")
            return
        }
        self.init(
            file: path, section: section,
            offset: section == nil ? nil : offset.map { Int(clamping: $0) },
            "\(fault)")
    }
}

extension BTF {
    /// Whether the type's name is `name`.
    func isNamed(_ record: Record, _ name: String) -> Bool {
        stringBytes(at: record.nameOffset, atMost: name.utf8.count)?.elementsEqual(name.utf8)
            ?? false
    }
}
