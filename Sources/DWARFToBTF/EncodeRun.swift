// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF
internal import ELF
internal import HostIO
internal import Synchronization

/// The way of a run of units through reading: types as they come, functions and variables gathered.
struct EncodeRun: ~Copyable {
    var encoder: UnitEncoder
    var functions: FunctionSelection
    var perCPU = PerCPUVariables()
    /// In the place of `perCPU`, with that feature.
    var globals: GlobalVariables?
    let excluded: Set<UInt64>

    private init(
        _ elf: ELFFile, _ data: DWARFData, base: BaseIndex?, options: EncodeOptions, bytes: Int
    ) throws(EncodeError) {
        // Records take about as many bytes as the entries they are made from.
        var types = TypeWriter(base: base, expectingWords: min(bytes / 4, 1 << 26))
        let perCPUSection =
            !options.features.isDisjoint(with: [.variables, .globalVariables])
            ? elf.section(named: PerCPUVariables.sectionName) : nil
        let symbols: SymbolNames
        do {
            symbols = try SymbolNames(elf, types: &types, perCPU: perCPUSection)
        } catch { throw .elf(error) }
        guard let firstUnit = data.units.first ?? data.typeUnits.first else { throw .noDebugInfo }
        encoder = UnitEncoder(
            data, features: options.features, nestsArrays: base?.nestsArrays ?? true, types: types,
            wantsVariables: perCPUSection != nil || options.features.contains(.globalVariables),
            ledger: options.keepsLedger ? Ledger() : nil,
            firstUnit: firstUnit)
        functions = FunctionSelection(
            features: options.features,
            registers: CallingConvention.parameterRegisters(machine: elf.machine),
            symbols: symbols)
        excluded = options.excludedLanguages
        if options.features.contains(.globalVariables) {
            guard let sections = data.sectionMap else {
                preconditionFailure("global variables need separated sections")
            }
            globals = GlobalVariables(
                sections: sections, zeroMeansDropped: elf.type != ELFType.relocatable)
        }
    }

    /// Reads all units, with several threads where units stand for themselves.
    static func all(
        _ elf: ELFFile, _ data: DWARFData, base: BaseIndex?, options: EncodeOptions
    ) throws(EncodeError) -> EncodeRun {
        let tables = try UnitTables(data)
        if tables.refersOutside {
            var run = try EncodeRun(elf, data, base: base, options: options, bytes: data.info.count)
            do throws(DWARFError) {
                try run.encodeLinked(data, tables)
            } catch { throw .dwarf(error) }
            return run
        }
        let parts = tables.parts(of: data.units, count: options.jobs)
        let results = parallelMap(count: parts.count, jobs: parts.count) { index in
            PartResult {
                () throws(EncodeError) -> EncodeRun in
                let units = data.units[parts[index]]
                let bytes = units.reduce(0) { $0 + $1.end - $1.offset }
                var run = try EncodeRun(elf, data, base: base, options: options, bytes: bytes)
                do throws(DWARFError) {
                    try run.encode(units, tables)
                } catch { throw .dwarf(error) }
                return run
            }
        }
        var whole = try results[0].take()
        for result in results.dropFirst() { whole.append(try result.take()) }
        return whole
    }

    /// Units one by one; none refers to another.
    private mutating func encode(
        _ units: ArraySlice<Unit>, _ tables: UnitTables
    ) throws(DWARFError) {
        for unit in units {
            encoder.beginTable(origin: unit.offset, count: unit.end - unit.offset)
            guard
                try encoder.encode(
                    unit, table: tables[unit], inTypes: false, excluded: excluded)
            else { continue }
            try finishTable()
        }
    }

    /// All units of all sections into one table.
    private mutating func encodeLinked(
        _ data: DWARFData, _ tables: UnitTables
    ) throws(DWARFError) {
        let typesBase = data.info.count
        let alternateBase = typesBase + data.types.count
        encoder.beginTable(
            origin: 0, count: alternateBase + (data.alternate?.info.count ?? 0))
        encoder.links.isShared = true
        encoder.links.alternateBase = data.alternate == nil ? nil : alternateBase
        for unit in data.units where unit.sort == .type {
            encoder.links.signatures[unit.signature] = unit.typeOffset
        }
        for unit in data.typeUnits {
            encoder.links.signatures[unit.signature] = typesBase + unit.typeOffset
        }
        func read(
            _ units: [Unit], _ tables: UnitTables, inTypes: Bool
        ) throws(DWARFError) {
            for unit in units {
                _ = try encoder.encode(
                    unit, table: tables[unit], inTypes: inTypes, excluded: excluded)
            }
        }
        if let alternate = data.alternate {
            let alternateTables: UnitTables
            do throws(EncodeError) {
                alternateTables = try UnitTables(alternate)
            } catch {
                throw DWARFError(section: ".debug_abbrev", offset: 0, "dwz file: \(error)")
            }
            encoder.data = alternate
            encoder.links.inAlternate = true
            encoder.sectionBase = alternateBase
            try read(alternate.units, alternateTables, inTypes: false)
            encoder.data = data
            encoder.links.inAlternate = false
        }
        encoder.sectionBase = typesBase
        try read(data.typeUnits, tables, inTypes: true)
        encoder.sectionBase = 0
        try read(data.units, tables, inTypes: false)
        try finishTable()
    }

    private mutating func finishTable() throws(DWARFError) {
        try encoder.resolveReferences()
        try functions.collect(&encoder)
        if globals == nil {
            try perCPU.collect(&encoder, functions.symbols)
        } else {
            try globals?.collect(&encoder, functions.symbols)
        }
        encoder.writeTypeTags()
    }

    /// Appends what another run made of the units that follow.
    private mutating func append(_ other: consuming EncodeRun) {
        let moved = encoder.types.append(other.encoder.types)
        let shift = moved.wordShift
        encoder.lateIndexPatches.append(
            contentsOf: other.encoder.lateIndexPatches.map { $0 + shift })
        if encoder.firstInt == nil { encoder.firstInt = other.encoder.firstInt.map(moved.id) }
        let firstUnit = functions.unitNames.count
        let firstParameter = functions.parameters.count
        functions.unitNames.append(contentsOf: other.functions.unitNames)
        for parameter in other.functions.parameters {
            functions.parameters.append((moved.name(parameter.name), moved.id(parameter.type)))
        }
        for var view in other.functions.views {
            view.name = moved.name(view.name)
            view.unit += firstUnit
            view.returns = moved.id(view.returns)
            view.parameters =
                view.parameters.lowerBound + firstParameter..<view.parameters.upperBound
                + firstParameter
            view.tags = view.tags.map { (moved.name($0.value), $0.component) }
            functions.views.append(view)
        }
        if let more = other.globals { globals?.append(more, moved) }
        for entry in other.perCPU.entries {
            perCPU.entries.append((moved.id(entry.variable), entry.offset, entry.size))
        }
        if let entries = other.encoder.ledger?.entries {
            for entry in entries {
                encoder.ledger?.note(entry.name, unit: entry.unit, entry.reason)
            }
        }
    }
}

/// A run made on another thread, handed over once.
private final class PartResult: Sendable {
    private enum State: ~Copyable {
        case made(EncodeRun)
        case failed(EncodeError)
        case taken
    }

    private let state: Mutex<State>

    init(_ body: () throws(EncodeError) -> EncodeRun) {
        do {
            let run = try body()
            state = Mutex(.made(run))
        } catch {
            state = Mutex(.failed(error))
        }
    }

    func take() throws(EncodeError) -> EncodeRun {
        var taken = State.taken
        state.withLock { state in swap(&state, &taken) }
        switch consume taken {
        case .made(let run): return run
        case .failed(let error): throw error
        case .taken: preconditionFailure("a part is taken once")
        }
    }
}

/// The compiled abbreviations of all units.
private struct UnitTables: Sendable {
    private struct Key: Hashable {
        let offset: UInt64
        let encoding: UnitEncoding
    }

    private var tables: [Key: AbbreviationTable] = [:]
    /// Some unit may refer to another, or to another file.
    private(set) var refersOutside: Bool

    init(_ data: DWARFData) throws(EncodeError) {
        refersOutside = !data.typeUnits.isEmpty
        for unit in data.units + data.typeUnits {
            if unit.sort != .compile { refersOutside = true }
            let key = Key(offset: unit.abbreviationOffset, encoding: unit.encoding)
            guard tables[key] == nil else { continue }
            do {
                let table = try data.abbreviations(of: unit)
                if table.refersOutside { refersOutside = true }
                tables[key] = table
            } catch { throw .dwarf(error) }
        }
    }

    subscript(_ unit: Unit) -> AbbreviationTable {
        // `init` has met every unit.
        tables[Key(offset: unit.abbreviationOffset, encoding: unit.encoding)]!
    }

    /// Ranges of units of about the same number of bytes, at most `count`.
    func parts(of units: [Unit], count: Int) -> [Range<Int>] {
        let total = units.reduce(0) { $0 + $1.end - $1.offset }
        guard count > 1, units.count > 1 else { return [units.indices] }
        var parts: [Range<Int>] = []
        var start = 0
        var bytes = 0
        for index in units.indices {
            bytes += units[index].end - units[index].offset
            if bytes * count >= total * (parts.count + 1) || index == units.count - 1 {
                parts.append(start..<index + 1)
                start = index + 1
            }
        }
        return parts
    }
}

extension UnitEncoder {
    /// Empties the table for entries `origin` ..< `origin + count` of the section.
    fileprivate mutating func beginTable(origin: Int, count: Int) {
        tableOrigin = origin
        offsets.reset(count: count)
        contexts.removeAll(keepingCapacity: true)
        functions.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        variables.removeAll(keepingCapacity: true)
        declarationTags.removeAll(keepingCapacity: true)
        unitInt = nil
    }

    /// Writes the declaration tags of types.
    fileprivate mutating func writeTypeTags() {
        for tag in declarationTags {
            guard case .type(let id) = tag.target else { continue }
            types.add(.declTag, name: tag.value, third: id)
            types.append(UInt32(bitPattern: Int32(tag.component)))
        }
    }
}
