// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF

extension ObjectReader {
    /// The maps declared in `.maps`, in the order of its DATASEC. Declarations without a definition
    /// are skipped.
    func declaredMaps() throws(BPFObjectError) -> [BPFObject.Map] {
        let sections = elf.sections.filter { roles[$0.index] == .maps }
        guard let section = sections.first else { return [] }
        guard sections.count == 1 else {
            throw BPFObjectError(
                file: path, section: section.name, "\(sections.count) sections have this name")
        }
        guard let datasec = datasec(named: section.name) else {
            throw BPFObjectError(
                file: path, section: section.name, "no DATASEC with this name in .BTF",
                hint: "compile with -g")
        }
        var maps: [BPFObject.Map] = []
        for variable in try variables(of: datasec, in: section) {
            func fail(_ message: String, _ hint: String? = nil) -> BPFObjectError {
                BPFObjectError(
                    file: path, section: section.name, offset: variable.offset, message, hint: hint)
            }
            let name = variable.name
            guard !name.isEmpty else { throw fail("a map without a name") }
            guard !variable.isHidden else {
                throw fail(
                    "map '\(name)' is hidden",
                    "remove '__hidden', or its attribute visibility(\"hidden\")")
            }
            guard !variable.isStatic else {
                throw fail("map '\(name)' is static", "remove 'static'")
            }
            guard let structure = btf.plain(variable.type), structure.kind == .struct else {
                throw fail("map '\(name)' is not a struct")
            }
            guard Int(structure.size) <= variable.size else {
                throw fail(
                    "map '\(name)' of \(structure.size) bytes takes \(variable.size) in the section"
                )
            }
            let definition: MapDefinition
            do throws(MapDefinitionReader.Fault) {
                definition = try MapDefinitionReader(btf: btf, name: name).read(structure)
            } catch { throw fail(error.message, error.hint) }
            maps.append(
                BPFObject.Map(
                    name: name, section: section.name, sectionIndex: section.index,
                    offset: variable.offset, definition: definition, size: variable.size,
                    slotsOffset: structure.members.last.flatMap {
                        $0.name == "values" ? Int($0.bitOffset / 8) : nil
                    }, contents: nil))
        }
        let sorted = maps.sorted { $0.offset < $1.offset }
        // For duplicate names the symbol table has one offset only; they are refused by name
        // elsewhere.
        for (a, b) in zip(sorted, sorted.dropFirst())
        where b.offset - a.offset < a.size && a.name != b.name {
            throw BPFObjectError(
                file: path, section: section.name, offset: b.offset,
                "map '\(b.name)' overlaps map '\(a.name)'")
        }
        return maps
    }

    /// The variables of the arena section.
    func arena() throws(BPFObjectError) -> BPFObject.Arena? {
        let sections = elf.sections.filter { roles[$0.index] == .arena }
        guard let section = sections.first else { return nil }
        guard sections.count == 1 else {
            throw BPFObjectError(
                file: path, section: section.name, "\(sections.count) sections have this name")
        }
        return BPFObject.Arena(
            section: section.name, size: section.size,
            variables: try datasec(named: section.name).map { datasec throws(BPFObjectError) in
                try variables(of: datasec, in: section)
            } ?? [])
    }

    /// A map for each data section that is not empty, in the file's order.
    func dataMaps() throws(BPFObjectError) -> [BPFObject.Map] {
        var maps: [BPFObject.Map] = []
        for section in elf.sections where section.size > 0 {
            let kind: BPFObject.Contents.Kind
            switch roles[section.index] {
            case .data: kind = .data
            case .readOnly: kind = .readOnly
            case .zero: kind = .zero
            case .perCPU: kind = .perCPU
            default: continue
            }
            // The kernel's limit on a map's value.
            guard let size = Int32(exactly: section.size) else {
                throw BPFObjectError(
                    file: path, section: section.name,
                    "\(section.size) bytes of variables, expected at most \(Int32.max)")
            }
            let bytes = kind == .zero ? nil : try bytes(of: section)
            let datasec = datasec(named: section.name)
            let variables =
                if let datasec { try variables(of: datasec, in: section) } else {
                    [BPFObject.Variable]()
                }
            maps.append(
                map(
                    section.name, index: section.index, size: Int(size), type: datasec?.id,
                    BPFObject.Contents(
                        kind: kind, size: Int(size), bytes: bytes, variables: variables)))
        }
        return maps
    }

    /// The map for `__kconfig` variables; nil if there are none.
    func kconfigMap(_ externs: [BPFObject.Extern]) throws(BPFObjectError) -> BPFObject.Map? {
        var variables: [BPFObject.Variable] = []
        for symbol in externs {
            guard case .kconfig(let type, let offset) = symbol.kind else { continue }
            variables.append(
                BPFObject.Variable(
                    name: symbol.name, type: type.type, offset: offset, size: type.size,
                    isStatic: false))
        }
        guard let end = variables.map({ $0.offset + $0.size }).max() else { return nil }
        return map(
            ".kconfig", index: 0, size: end, type: datasec(named: ".kconfig")?.id,
            BPFObject.Contents(kind: .kconfig, size: end, bytes: nil, variables: variables))
    }

    private func map(
        _ name: String, index: Int, size: Int, type: TypeID?, _ contents: BPFObject.Contents
    ) -> BPFObject.Map {
        var definition = MapDefinition()
        definition.type = MapType.array
        definition.keySize = 4
        definition.valueSize = UInt32(size)
        definition.maxEntries = 1
        definition.valueType = type
        if contents.kind == .readOnly || contents.kind == .kconfig {
            definition.flags = MapFlag.readOnlyForPrograms
        }
        // User space may map variables it can name, but not those of one CPU.
        if contents.kind == .perCPU {
            definition.type = MapType.perCPUArray
        } else if contents.variables.contains(where: { !$0.isStatic }) {
            definition.flags |= MapFlag.mappable
        }
        return BPFObject.Map(
            name: name, section: name, sectionIndex: index, offset: 0, definition: definition,
            size: size, slotsOffset: nil, contents: contents)
    }

    /// The variables in a DATASEC, in its order, without those that are only declared.
    ///
    /// A compiler does not know the offset of a global variable and leaves it 0: the symbol has it.
    /// A static variable's offset is in the BTF. A linker fills in both, and the DATASEC's size.
    func variables(
        of datasec: Record, in section: ELFSection
    ) throws(BPFObjectError) -> [BPFObject.Variable] {
        // The most elements that kernels before 7.2 accept.
        guard datasec.count <= TypeInfo.maxVlenBefore72 else {
            throw BPFObjectError(
                file: path, section: section.name,
                "\(datasec.count) variables, expected at most \(TypeInfo.maxVlenBefore72)")
        }
        var variables: [BPFObject.Variable] = []
        var symbols: [String: ELFSymbol]?
        for index in 0..<datasec.count {
            guard let record = btf.record(TypeID(datasec.element(index, 0))), record.kind == .var
            else { continue }
            let name = try name(at: record.nameOffset)
            if record.linkage == Linkage.extern.rawValue {
                if symbols == nil { symbols = try globals(in: section.index) }
                // libbpf's linker leaves it like this: on top of whatever is at the section's
                // start.
                guard symbols?[name] == nil else {
                    throw BPFObjectError(
                        file: path, section: section.name,
                        "'\(name)' is declared and has an offset, but is not defined",
                        hint: "link with the object that defines it, all at once")
                }
                continue
            }
            var isStatic = record.linkage == Linkage.static.rawValue
            var isHidden = false
            var offset = UInt64(datasec.element(index, 1))
            if !isStatic {
                if symbols == nil { symbols = try globals(in: section.index) }
                let symbol = symbols?[name]
                if datasec.size == 0 {
                    guard let symbol else {
                        throw BPFObjectError(
                            file: path, section: section.name,
                            "variable '\(name)' of its DATASEC has no symbol")
                    }
                    offset = symbol.value
                } else if let symbol, symbol.value != offset {
                    // libbpf's linker does not update variables that were declared before they were
                    // defined.
                    throw BPFObjectError(
                        file: path, section: section.name, offset: Int(clamping: symbol.value),
                        "variable '\(name)' is at \(offset) in its DATASEC, but not in its symbol",
                        hint: "link it again: kbtf gen object OUT \(path)")
                }
                isHidden = symbol?.isHidden ?? false
                isStatic = isHidden
            }
            let size = UInt64(datasec.element(index, 2))
            guard size <= section.size, offset <= section.size - size else {
                throw BPFObjectError(
                    file: path, section: section.name, offset: Int(clamping: offset),
                    "variable '\(name)' of \(size) bytes extends past the section (\(section.size) bytes)"
                )
            }
            variables.append(
                BPFObject.Variable(
                    name: name, type: record.type, offset: Int(offset), size: Int(size),
                    isStatic: isStatic, isHidden: isHidden))
        }
        return variables
    }

    /// The global symbols in a section.
    private func globals(in section: Int) throws(BPFObjectError) -> [String: ELFSymbol] {
        var found: [String: ELFSymbol] = [:]
        for symbol in symbols
        where symbol.sectionIndex == section && symbol.binding != ELFSymbolCode.bindLocal {
            found[try name(of: symbol)] = symbol
        }
        return found
    }
}

extension ELFSymbol {
    /// STV_INTERNAL or STV_HIDDEN.
    fileprivate var isHidden: Bool { visibility == 1 || visibility == 2 }
}
