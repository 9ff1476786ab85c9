// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
package import BTFIDs
internal import Bytes
package import DWARF
package import ELF
internal import HostIO

/// How to encode a file.
package struct EncodeOptions: Sendable {
    package var features: Features = .standard
    /// The kernel that the BTF is for. Names that it does not accept are left out; the features
    /// must be ones that it accepts.
    package var target: TargetRules?
    /// Hide the arguments of kernel functions that the verifier supplies, as kernels from 7.0 on
    /// expect.
    package var hidesImplicitArguments = false
    /// Describe kernel functions as the kernel's own tool does from 7.3 on, if the features include
    /// `kernelFunctionTags` and `attributes`: the names of parameters mark pointers into arenas as
    /// well, and `NAME_impl` has none.
    package var describesLikeTool = false
    /// Codes of languages whose units are left out, see `Language.parse`.
    package var excludedLanguages: Set<UInt64> = []
    /// Codes of the only languages whose units are encoded; nil encodes all that are not excluded.
    package var onlyLanguages: Set<UInt64>?
    /// With `inlineSites`, the BTF goes to a tool that keeps all functions that have symbols in the
    /// main part.
    package var joinsSites = false
    /// Keep a ledger.
    package var keepsLedger = false
    /// Threads to use for one file.
    package var jobs = 1

    package init() {}
}

/// The result of encoding a file.
package struct Encoded: Sendable {
    /// The BTF's bytes; empty if the file's units contain nothing for BTF. If the base has all
    /// types, BTF without types.
    package var bytes: [UInt8]
    /// The base that `bytes` continues, if it was to be distilled.
    package var base: [UInt8]?
    package var typeCount: Int
    package let ledger: Ledger?
    /// How many units describe neither types nor prototypes, because they were compiled with -g1.
    package var lineTableUnits = 0
    /// How many do not show whether they were.
    package var unclearUnits = 0
    /// With `inlineSites`, the functions that the BTF describes as such; others are only inlined.
    package var functions: Set<[UInt8]> = []
    /// Kernel functions whose implicit arguments are hidden.
    package var withHiddenArguments: [String] = []
    /// Functions with the flag for implicit arguments that show them, because no set of kernel
    /// functions lists them.
    package var withShownArguments: [String] = []
}

/// Why a file could not be encoded. The description names section and offset.
package enum EncodeError: Error, CustomStringConvertible {
    case read(DWARFReadError)
    case elf(ELFError)
    case dwarf(DWARFError)
    case btf(BTFError)
    case noDebugInfo
    /// Sets of kernel functions contradict each other.
    case kernelFunction(IDSection.ListedFunctions.Conflict)
    /// A file of split units cannot be read.
    case split(SplitFileError)
    /// Units refer to each other: they must be read together. Never leaves this room.
    case linkedUnits

    package var description: String {
        switch self {
        case .read(let error): error.description
        case .elf(let error): error.description
        case .dwarf(let error): error.description
        case .btf(let error): "encoding failed at " + error.description
        case .kernelFunction(let conflict): "\(IDSection.name): \(conflict)"
        case .noDebugInfo:
            ".debug_info: no such section: the file was built without -g, or stripped"
        case .split(let error): error.description
        case .linkedUnits:
            ".debug_info: units refer to each other"
        }
    }
}

/// Generates BTF from the DWARF of `elf`.
///
/// - Parameters:
///   - data: the debug sections, of `elf` itself or of its separate debug file.
///   - split: finds the files of its split units. Units whose files are missing are left out.
///   - base: the base BTF; nil generates standalone BTF.
///   - whole: the same base, not indexed: for the feature `distilledBase`, for files with BTF that
///     identifies the flags of kernel functions, and for kernel functions with implicit arguments.
/// - Throws: `EncodeError` for damaged debug information. Units that BTF cannot represent do not
///   throw; the ledger lists them.
package func encode(
    _ elf: ELFFile, _ data: DWARFData, split: SplitFiles? = nil, base: BaseIndex?,
    whole: BTF? = nil, options: EncodeOptions
) throws(EncodeError) -> Encoded {
    guard !data.units.isEmpty || !data.typeUnits.isEmpty else { throw .noDebugInfo }
    let context: EncodeContext
    do throws(ELFError) {
        context = try EncodeContext(elf, data, split: split, base: base, options: options)
    } catch { throw .elf(error) }
    // Symbols have been read.
    MappedPages.release(elf.bytes)
    var run = try EncodeRun.all(context, base: base, jobs: options.jobs)
    data.releasePages()
    var ledger = run.ledger
    var last = TypeWriter(names: context.names)
    run.functions.write(&last, &ledger)
    let tagsFunctions = options.features.contains(.kernelFunctionTags)
    let describesLikeTool =
        options.describesLikeTool
        && options.features.isSuperset(of: [.declTag, .kernelFunctionTags, .attributes])
    var withImplicitArguments: Set<String> = []
    var flaggedElsewhere: Set<String> = []
    var described: [KernelFunction] = []
    var conflicts: [IDSection.ListedFunctions.Conflict] = []
    if tagsFunctions || options.hidesImplicitArguments {
        do throws(ELFError) {
            let functions = try KernelFunctions(elf, base: whole)
            if tagsFunctions {
                functions.write(
                    &last, run.store, options, marksArenas: !describesLikeTool, &ledger)
            }
            if options.hidesImplicitArguments { flaggedElsewhere = functions.flaggedElsewhere }
            if describesLikeTool {
                conflicts = functions.conflicts
                described = functions.described(hiding: options.hidesImplicitArguments)
            } else if options.hidesImplicitArguments {
                withImplicitArguments = functions.withImplicitArguments
            }
        } catch { throw .elf(error) }
    }
    if context.perCPU != nil, !options.features.contains(.globalVariables) {
        for id in run.perCPU.write(&last, &ledger, context.symbols.perCPU) {
            run.store.remove(id)
        }
    }
    run.globals.write(&last, &ledger)
    var functions: Set<[UInt8]> = []
    if context.codeSections != nil {
        let written = last.names(of: .func)
        run.sites.write(&last, run.store, &ledger) { name in
            !options.joinsSites || written.contains(name) || !context.symbols.isFunction(name)
        }
        functions = Set(written.map { context.names.bytes(of: $0) })
    }
    last.seal()
    do throws(BTFError) { try run.store.absorb(last) } catch { throw .btf(error) }
    guard !context.names.hasRefused else {
        throw .dwarf(
            DWARFError(
                section: ".debug_str", offset: 0,
                "names overlap: together they are longer than all strings"))
    }
    let jobs = options.jobs
    let compact = run.store.compacted { one, other in
        if jobs > 1 {
            parallelBeside(one, other)
        } else {
            one()
            other()
        }
    }
    guard compact.typeCount > 0 || base != nil && run.hasTypes else {
        return Encoded(
            bytes: [], typeCount: 0, ledger: ledger, lineTableUnits: run.lineTableUnits,
            unclearUnits: run.unclearUnits)
    }
    var bytes = compact.serialized(
        bigEndian: data.bigEndian,
        withLayout: base == nil && options.features.contains(.layout))
    var typeCount = compact.typeCount
    var hidden: [String] = []
    if !withImplicitArguments.isEmpty {
        do throws(BTFError) {
            let result = try BTF.parse(ByteView(bytes), base: whole).hidingImplicitArguments(
                of: withImplicitArguments, evenUntagged: true)
            if !result.functions.isEmpty {
                hidden = result.functions
                bytes = result.btf.serialized()
                typeCount = result.btf.starts.count
            }
        } catch { throw .btf(error) }
    }
    if !described.isEmpty {
        let plain: BTF
        do throws(BTFError) { plain = try BTF.parse(ByteView(bytes), base: whole) } catch {
            throw .btf(error)
        }
        let own = plain.ownFunctions(among: Set(conflicts.lazy.map(\.name)))
        if let conflict = conflicts.first(where: { own.contains($0.name) }) {
            throw .kernelFunction(conflict)
        }
        do throws(BTFError) {
            let result = try plain.describing(described)
            hidden = result.hidden
            if result.isTagged || !hidden.isEmpty {
                let btf = result.isTagged ? try result.btf.deduplicated(over: base) : result.btf
                bytes = btf.serialized()
                typeCount = btf.starts.count
            }
        } catch { throw .btf(error) }
    }
    var shown: [String] = []
    if !flaggedElsewhere.isEmpty {
        do throws(BTFError) {
            shown = try BTF.parse(ByteView(bytes), base: whole).functionsLeftWhole(
                among: flaggedElsewhere
            ).map(\.name)
        } catch { throw .btf(error) }
    }
    guard let whole, options.features.contains(.distilledBase) else {
        return Encoded(
            bytes: bytes, typeCount: typeCount, ledger: ledger, functions: functions,
            withHiddenArguments: hidden, withShownArguments: shown)
    }
    let distilled: Distilled
    do throws(BTFError) {
        distilled = try BTF.parse(ByteView(bytes), base: whole).distilled()
    } catch { throw .btf(error) }
    for id in distilled.ambiguous {
        ledger?.note(whole.record(id)?.name ?? "", unit: "", .ambiguousBaseType)
    }
    return Encoded(
        bytes: distilled.split, base: distilled.base, typeCount: distilled.typeCount,
        ledger: ledger, functions: functions, withHiddenArguments: hidden,
        withShownArguments: shown)
}
