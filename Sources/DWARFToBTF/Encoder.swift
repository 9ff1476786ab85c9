// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
internal import Bytes
package import DWARF
package import ELF

/// How to encode a file.
package struct EncodeOptions: Sendable {
    package var features: Features = .standard
    /// Codes of languages whose units are left out, see `Language.parse`.
    package var excludedLanguages: Set<UInt64> = []
    /// Keep a ledger.
    package var keepsLedger = false

    package init() {}
}

/// What encoding a file gives.
package struct Encoded: Sendable {
    /// The BTF's bytes; empty when the file's units hold nothing to tell.
    package let bytes: [UInt8]
    package let typeCount: Int
    package let ledger: Ledger?
}

/// Why a file could not be encoded. The description names section and offset.
package enum EncodeError: Error, CustomStringConvertible {
    case read(DWARFReadError)
    case elf(ELFError)
    case dwarf(DWARFError)
    case btf(BTFError)
    case noDebugInfo

    package var description: String {
        switch self {
        case .read(let error): error.description
        case .elf(let error): error.description
        case .dwarf(let error): error.description
        case .btf(let error): "encoding failed at " + error.description
        case .noDebugInfo: ".debug_info: no such section: the file was built without -g, or stripped"
        }
    }
}

/// Makes BTF from the DWARF of `elf`.
///
/// - Parameters:
///   - data: the debug sections, of `elf` itself or of its separate debug file.
///   - base: the base BTF; nil makes standalone BTF.
/// - Throws: `EncodeError` for damaged debug information. Units that BTF cannot represent do not
///   throw; the ledger names them.
package func encode(
    _ elf: ELFFile, _ data: DWARFData, base: BaseIndex?, options: EncodeOptions
) throws(EncodeError) -> Encoded {
    guard let firstUnit = data.units.first ?? data.typeUnits.first else { throw .noDebugInfo }
    // Records take about as many bytes as the entries they are made from.
    var types = TypeWriter(base: base, expectingWords: min(data.info.count / 4, 1 << 26))
    let perCPUSection =
        options.features.contains(.variables)
        ? elf.section(named: PerCPUVariables.sectionName) : nil
    let symbols: SymbolNames
    do {
        symbols = try SymbolNames(elf, types: &types, perCPU: perCPUSection)
    } catch { throw .elf(error) }
    var run = EncodeRun(
        encoder: UnitEncoder(
            data, features: options.features, nestsArrays: base?.nestsArrays ?? true, types: types,
            wantsVariables: perCPUSection != nil, ledger: options.keepsLedger ? Ledger() : nil,
            firstUnit: firstUnit),
        functions: FunctionSelection(
            features: options.features,
            registers: CallingConvention.parameterRegisters(machine: elf.machine), symbols: symbols),
        excluded: options.excludedLanguages)
    do throws(DWARFError) {
        try run.encodeUnits(data)
    } catch { throw .dwarf(error) }
    run.functions.write(&run.encoder.types, &run.encoder.ledger)
    run.perCPU.write(&run.encoder.types)
    guard run.encoder.types.nextID > run.encoder.types.firstID else {
        return Encoded(bytes: [], typeCount: 0, ledger: run.encoder.ledger)
    }
    do {
        let compact = try run.encoder.types.deduplicated(
            resolveForwards: base?.resolvesForwards ?? true)
        return Encoded(
            bytes: compact.typeCount == 0 ? [] : compact.serialized(bigEndian: data.bigEndian),
            typeCount: compact.typeCount, ledger: run.encoder.ledger)
    } catch { throw .btf(error) }
}

/// One file's way through its units.
private struct EncodeRun: ~Copyable {
    var encoder: UnitEncoder
    var functions: FunctionSelection
    var perCPU = PerCPUVariables()
    let excluded: Set<UInt64>

    mutating func encodeUnits(_ data: DWARFData) throws(DWARFError) {
        var tables: [TableKey: AbbreviationTable] = [:]
        for unit in data.units {
            let key = TableKey(offset: unit.abbreviationOffset, encoding: unit.encoding)
            let table: AbbreviationTable
            if let known = tables[key] {
                table = known
            } else {
                table = try data.abbreviations(of: unit)
                tables[key] = table
            }
            encoder.beginUnit(origin: unit.offset, length: unit.end - unit.offset)
            guard try encoder.encode(unit, table: table, inTypes: false, excluded: excluded) else {
                continue
            }
            try encoder.resolveReferences()
            try functions.collect(&encoder)
            try perCPU.collect(&encoder, functions.symbols)
            encoder.writeTypeTags()
        }
    }

    private struct TableKey: Hashable {
        let offset: UInt64
        let encoding: UnitEncoding
    }
}

extension UnitEncoder {
    /// Forgets the last unit and makes room for the entries of the next.
    mutating func beginUnit(origin: Int, length: Int) {
        tableOrigin = origin
        offsets.reset(count: length)
        functions.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        variables.removeAll(keepingCapacity: true)
        declarationTags.removeAll(keepingCapacity: true)
    }

    /// Writes the declaration tags of types.
    mutating func writeTypeTags() {
        for tag in declarationTags {
            guard case .type(let id) = tag.target else { continue }
            types.add(.declTag, name: tag.value, third: id)
            types.append(UInt32(bitPattern: Int32(tag.component)))
        }
    }
}
