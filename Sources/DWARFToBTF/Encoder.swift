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
    /// Threads to use for one file.
    package var jobs = 1

    package init() {}
}

/// What encoding a file gives.
package struct Encoded: Sendable {
    /// The BTF's bytes; empty when the file's units hold nothing to tell.
    package let bytes: [UInt8]
    /// The base that `bytes` continues, when that was to be distilled.
    package var base: [UInt8]?
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
        case .noDebugInfo:
            ".debug_info: no such section: the file was built without -g, or stripped"
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
    guard !data.units.isEmpty || !data.typeUnits.isEmpty else { throw .noDebugInfo }
    var run = try EncodeRun.all(elf, data, base: base, options: options)
    run.encoder.resolveLateIndexes()
    let firstFunction = run.encoder.types.nextID
    run.functions.write(&run.encoder.types, &run.encoder.ledger)
    try tagKernelFunctions(
        firstFunction..<run.encoder.types.nextID, of: elf, &run, options.features)
    run.perCPU.write(&run.encoder.types)
    run.globals?.write(&run.encoder.types, &run.encoder.ledger)
    guard run.encoder.types.nextID > run.encoder.types.firstID else {
        return Encoded(bytes: [], typeCount: 0, ledger: run.encoder.ledger)
    }
    do {
        let compact = try run.encoder.types.deduplicated(
            resolveForwards: base?.resolvesForwards ?? true)
        guard compact.typeCount > 0 else {
            return Encoded(bytes: [], typeCount: 0, ledger: run.encoder.ledger)
        }
        let bytes = compact.serialized(
            bigEndian: data.bigEndian,
            withLayout: base == nil && options.features.contains(.layout))
        guard options.features.contains(.distilledBase) else {
            return Encoded(
                bytes: bytes, typeCount: compact.typeCount, ledger: run.encoder.ledger)
        }
        let distilled = try BTF.parse(ByteView(bytes), base: base?.btf).distilled()
        for id in distilled.ambiguous {
            run.encoder.ledger?.note(base?.btf.record(id)?.name ?? "", unit: "", .ambiguousBaseType)
        }
        return Encoded(
            bytes: distilled.split, base: distilled.base, typeCount: distilled.typeCount,
            ledger: run.encoder.ledger)
    } catch { throw .btf(error) }
}

private func tagKernelFunctions(
    _ functions: Range<UInt32>, of elf: ELFFile, _ run: inout EncodeRun, _ features: Features
) throws(EncodeError) {
    guard features.contains(.kernelFunctionTags) else { return }
    do throws(ELFError) {
        try KernelFunctions(elf).write(
            functions, features: features, &run.encoder.types, &run.encoder.ledger)
    } catch { throw .elf(error) }
}
