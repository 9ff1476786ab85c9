// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF
internal import ELF

/// What all threads that read units of one file share.
struct EncodeContext: Sendable {
    let data: DWARFData
    let features: Features
    /// The kernel that must accept the BTF; nil for any that supports the features.
    let target: TargetRules?
    /// Multi-dimensional arrays are arrays of arrays.
    let nestsArrays: Bool
    let names: NamePool
    let strangeNames: StrangeNames
    let symbols: SymbolNames
    /// Where arguments are.
    let convention: CallingConvention
    /// Where the kernel's code for BPF programs looks for them; nil for a machine without.
    let reading: CallingConvention?
    /// Languages whose units are left out.
    let excluded: Set<UInt64>
    /// Languages whose units alone are taken, if not all are.
    let only: Set<UInt64>?
    let keepsLedger: Bool
    /// Units whose entries are in other files, by index of the skeleton.
    let splitUnits: [Int: SplitUnit]
    /// Those files; nil without such units.
    let splitFiles: SplitFiles?
    /// Where per-CPU variables are; nil for a file without, or without interest in variables.
    let perCPU: PerCPUSection?
    /// Variables are looked at only where the file has per-CPU ones, or all are wanted.
    let wantsVariables: Bool
    /// What addresses lie in, when all variables are wanted.
    let sections: SectionMap?
    /// Where functions may be inlined, when that is wanted.
    let codeSections: CodeSections?
    /// In a linked file, relocations to what the linker dropped give address 0.
    let zeroMeansDropped: Bool
    let intName: UInt32
    let longDoubleName: UInt32
    let typeTagName: UInt32
    let declTagName: UInt32

    init(
        _ elf: ELFFile, _ data: DWARFData, split: SplitFiles?, base: BaseIndex?,
        options: EncodeOptions
    ) throws(ELFError) {
        self.data = data
        let units = split?.units ?? []
        splitUnits = Dictionary(uniqueKeysWithValues: units.map { ($0.index, $0) })
        splitFiles = units.isEmpty ? nil : split
        features = options.features
        target = options.target
        strangeNames = StrangeNames(options.target)
        nestsArrays = base?.nestsArrays ?? true
        // A string section may share endings between names, a hostile one all of them.
        let strings = data.bytes(of: .str).count + data.bytes(of: .lineStr).count
        var sources = strings + data.info.count + data.types.count
        if let alternate = data.alternate {
            sources += alternate.info.count + alternate.bytes(of: .str).count
            sources += alternate.bytes(of: .lineStr).count
        }
        // The names of functions without debug information are among them.
        sources += try elf.symbolStrings().count
        names = NamePool(
            base: base, limit: (1 << 20) + 8 * sources,
            expecting: base == nil ? strings / 28 : 512)
        let wantsGlobals = features.contains(.globalVariables)
        perCPU =
            wantsGlobals || features.contains(.variables)
            ? PerCPUSection(elf, map: data.sectionMap) : nil
        symbols = try SymbolNames(elf, names: names, perCPU: perCPU)
        if wantsGlobals, data.sectionMap == nil {
            preconditionFailure("global variables need separated sections")
        }
        sections = wantsGlobals ? data.sectionMap : nil
        codeSections =
            features.contains(.inlineSites) ? data.sectionMap.map { CodeSections($0) } : nil
        wantsVariables = perCPU != nil || wantsGlobals
        zeroMeansDropped = elf.type != ELFType.relocatable
        convention = CallingConvention.of(elf)
        reading = convention.asRead
        excluded = options.excludedLanguages
        only = options.onlyLanguages
        keepsLedger = options.keepsLedger
        intName = names.intern("int")
        longDoubleName = names.intern("long double")
        typeTagName = names.intern("btf_type_tag")
        declTagName = names.intern("btf_decl_tag")
    }

    /// Lets names of a file of split units be as many as those of the file itself.
    func expectNames(of file: SplitFile) { names.expect(bytes: 8 * file.takeNameBytes()) }

    /// Whether units of that language are left out; nil is a unit that does not say.
    func leavesOut(_ language: UInt64?) -> Bool {
        if let only, language.map(only.contains) != true { return true }
        return language.map(excluded.contains) == true
    }
}
