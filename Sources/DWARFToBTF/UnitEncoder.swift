// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

/// An entry that is still open: its children come next in the stream.
struct OpenEntry {
    enum Sort {
        case composite, array, enumeration, prototype, function, annotated
    }

    let sort: Sort
    let depth: Int
    /// Offset in the section, and in the offset table.
    let offset: Int
    let slot: Int
    var name: UInt32 = 0
    var tag: Tag
    var size: UInt64 = 0
    var type = EntryReference.none
    var flag = false
    /// Where its elements start in `scratch`.
    let elements: Int
    /// Index of the function, for `.function`.
    var function = 0
    /// Where its annotations start in `annotations`.
    let firstAnnotation: Int
}

/// Reads one unit's entries in order and appends a record per type; functions and variables are
/// collected for selection. References are DWARF offsets until `resolveReferences`.
struct UnitEncoder: ~Copyable {
    var data: DWARFData
    let features: Features
    let nestsArrays: Bool
    /// Variables are looked at only where the file has a per-CPU section.
    let wantsVariables: Bool

    var types: TypeWriter
    var ledger: Ledger?

    // The unit under way.
    var unit: Unit
    var inTypes = false
    var strOffsetsBase: UInt64 = 0
    /// What was said by the units since the table was last emptied.
    var contexts: [UnitContext] = []
    /// Section offset of the table's first word, and where the unit's section begins in the table.
    var tableOrigin = 0
    var sectionBase = 0
    /// Where units that refer to each other find others' entries.
    var links = UnitLinks()
    var offsets = OffsetTable()
    /// Words that hold an `EntryReference` for now.
    var patches: [Int] = []
    /// Words that hold an array's index type.
    var indexPatches: [Int] = []
    /// Enums whose sign is that of the type they are made on.
    var enumSigns: [(id: UInt32, type: EntryReference)] = []
    var functions: [FunctionEntry] = []
    var values: [ValueEntry] = []
    /// Top-level variables, as indexes into `values`.
    var variables: [Int] = []
    var declarationTags: [DeclarationTag] = []
    /// By place in the offset table.
    var annotationEntries: [Int: AnnotationEntry] = [:]
    var declarationChains: [(target: TagTarget, chain: EntryReference, component: Int)] = []
    var taggedPointers: [(id: UInt32, target: EntryReference, chain: EntryReference)] = []

    var open: [OpenEntry] = []
    var scratch: [UInt32] = []
    var annotations: [Annotation] = []
    private var knownNames = NameCache()
    /// Kernels take names of up to 511 bytes.
    private static let longestName = 4096
    /// A string section may share endings between names, a hostile one all of them.
    private let nameLimit: Int
    /// Ids of the integer `int`: of the table's units, and of the first unit that had it.
    var unitInt: UInt32?
    var firstInt: UInt32?
    /// As `indexPatches`, of units without an `int`.
    var lateIndexPatches: [Int] = []
    let intName: UInt32
    let typeTagName: UInt32
    let declTagName: UInt32

    init(
        _ data: DWARFData, features: Features, nestsArrays: Bool, types: TypeWriter,
        wantsVariables: Bool, ledger: Ledger?, firstUnit: Unit
    ) {
        self.data = data
        self.features = features
        self.nestsArrays = nestsArrays
        self.types = types
        self.wantsVariables = wantsVariables
        self.ledger = ledger
        unit = firstUnit
        nameLimit =
            1 << 20
            + 8 * (data.info.count + data.bytes(of: .str).count + data.bytes(of: .lineStr).count)
        intName = self.types.intern("int")
        typeTagName = self.types.intern("btf_type_tag")
        declTagName = self.types.intern("btf_decl_tag")
    }

    // MARK: The walk

    /// Appends the types of one unit.
    ///
    /// - Parameter excluded: languages whose units are left out.
    /// - Returns: false when the unit was left out.
    mutating func encode(
        _ unit: Unit, table: AbbreviationTable, inTypes: Bool, excluded: Set<UInt64>
    ) throws(DWARFError) -> Bool {
        self.unit = unit
        self.inTypes = inTypes
        strOffsetsBase = unit.encoding.is64Bit ? 16 : 8
        open.removeAll(keepingCapacity: true)
        scratch.removeAll(keepingCapacity: true)
        annotations.removeAll(keepingCapacity: true)
        var reader = try data.entries(of: unit, table: table, inTypes: inTypes)
        var die = DIE()
        guard try reader.advance() else { return true }
        try reader.decode(into: &die)
        guard try enterUnit(die, excluded: excluded) else { return false }
        while try reader.advance() {
            while openDepth >= reader.depth { try close() }
            try visit(&reader, &die)
        }
        while !open.isEmpty { try close() }
        return true
    }

    private mutating func enterUnit(
        _ die: borrowing DIE, excluded: Set<UInt64>
    ) throws(DWARFError) -> Bool {
        if die.has(.strOffsetsBase) { strOffsetsBase = die.value(.strOffsetsBase) }
        let language = die.value(.language)
        let unitName = ledger == nil ? 0 : try name(die, .name)
        let context = UnitContext(
            unit: unit, data: data, name: types.string(unitName),
            loclistsBase: die.value(.loclistsBase), addrBase: die.value(.addrBase),
            isC: Language.isC(language))
        if die.has(.language), excluded.contains(language) {
            ledger?.note(context.name, unit: context.name, .excludedLanguage)
            return false
        }
        contexts.append(context)
        return true
    }

    private mutating func visit(_ reader: inout EntryReader, _ die: inout DIE) throws(DWARFError) {
        switch reader.tag {
        case .member, .inheritance, .enumerator, .subrangeType, .unspecifiedParameters:
            guard !open.isEmpty, openDepth == reader.depth - 1 else {
                return try reader.skipAttributes()
            }
            try reader.decode(into: &die)
            try addElement(die)
        case .formalParameter:
            // Parameters of inlined calls stand below entries that are never open.
            guard !open.isEmpty, openDepth == reader.depth - 1 else {
                return try reader.skipAttributes()
            }
            try reader.decode(into: &die)
            try addParameter(die)
        case .baseType:
            try reader.decode(into: &die)
            try addBaseType(die)
        case .typedef, .constType, .volatileType, .restrictType, .pointerType, .referenceType,
            .rvalueReferenceType, .ptrToMemberType, .atomicType, .unspecifiedType, .stringType,
            .immutableType, .dynamicType, .coarrayType, .interfaceType:
            try reader.decode(into: &die)
            try addReferring(die)
        case .structureType, .unionType, .classType:
            try reader.decode(into: &die)
            try openComposite(die)
        case .enumerationType, .arrayType, .subroutineType:
            try reader.decode(into: &die)
            try openType(die)
        case .subprogram:
            try reader.decode(into: &die)
            try openFunction(die)
        case .variable:
            guard reader.depth == 1 || open.isEmpty, wantsVariables else {
                return try reader.skipAttributes()
            }
            try reader.decode(into: &die)
            try addVariable(die)
        case .llvmAnnotation:
            try reader.decode(into: &die)
            try addAnnotation(die)
        case .gnuAnnotation:
            try reader.decode(into: &die)
            try addAnnotationEntry(die)
        default:
            try reader.skipAttributes()
        }
    }

    /// Depth of the innermost open entry; -1 when none is.
    private var openDepth: Int { open.isEmpty ? -1 : open[open.count - 1].depth }

    // MARK: Names and references

    func fail(_ offset: Int, _ message: String) -> DWARFError {
        DWARFError(section: inTypes ? ".debug_types" : ".debug_info", offset: offset, message)
    }

    /// The interned name in `slot`; 0 when the entry has none.
    mutating func name(_ die: borrowing DIE, _ slot: Slot) throws(DWARFError) -> UInt32 {
        guard die.has(slot) else { return 0 }
        let place = try data.place(
            of: die.value(slot), form: die.form(slot), unit: unit, strOffsetsBase: strOffsetsBase,
            inTypes: inTypes, at: die.offset)
        let key =
            UInt64(place.offset) << 4 | UInt64(place.section.rawValue) << 1
            | (links.inAlternate ? 1 : 0)
        if let known = knownNames.find(key) { return known }
        let bytes = data.bytes(of: place.section)
        var cursor = bytes.cursor()
        let length: Int
        do throws(ByteError) {
            try cursor.seek(to: place.offset)
            length = try cursor.skipCString()
        } catch {
            throw fail(
                die.offset, "name at string offset 0x\(String(place.offset, radix: 16)) has no end")
        }
        guard length <= Self.longestName else {
            throw fail(die.offset, "name of \(length) bytes, expected at most \(Self.longestName)")
        }
        guard let view = bytes.slice(place.offset, length) else { return 0 }
        let id = view.withSpan { types.intern($0) }
        guard types.nameByteCount <= nameLimit else {
            throw fail(
                die.offset, "names overlap: together they take more than \(nameLimit) bytes")
        }
        knownNames.store(id, for: key)
        return id
    }

    /// The name of a type; 0, with a note, where the unit's language allows what no kernel takes.
    mutating func typeName(_ die: borrowing DIE) throws(DWARFError) -> UInt32 {
        let name = try name(die, .name)
        if contexts[contexts.count - 1].isC || isIdentifier(types.nameBytes(name)) { return name }
        if name != 0 { note(name, .invalidName) }
        return 0
    }

    /// Where an entry of this unit's section stands in the offset table.
    func slot(_ offset: Int) -> Int { offset - tableOrigin + sectionBase }

    /// The entry an attribute refers to.
    func reference(_ die: borrowing DIE, _ slot: Slot) throws(DWARFError) -> EntryReference {
        guard die.has(slot) else { return .none }
        let value = die.value(slot)
        var target: Int
        switch die.form(slot) {
        case .ref1, .ref2, .ref4, .ref8, .refUdata:
            target = Int(clamping: value) - tableOrigin
            if target >= 0 { target &+= sectionBase }  // both are below the table's size or caught
        default:
            target = links.target(value, form: die.form(slot), tableOrigin: tableOrigin) ?? -1
        }
        guard target >= 0, target < offsets.count, let raw = UInt32(exactly: target) else {
            throw fail(
                die.offset,
                "reference of form 0x\(String(die.form(slot).rawValue, radix: 16)) to 0x"
                    + String(value, radix: 16) + " leads to no entry that can be read")
        }
        return EntryReference(rawValue: raw)
    }

    /// Appends a word that becomes the id of what `reference` names.
    mutating func append(_ reference: EntryReference) {
        if reference == .none { return types.append(0) }
        patches.append(types.position)
        types.append(reference.rawValue)
    }

    /// Starts a record whose third word is a reference.
    @discardableResult
    mutating func begin(
        _ kind: Kind, name: UInt32 = 0, vlen: Int = 0, flag: Bool = false,
        to reference: EntryReference
    ) -> UInt32 {
        let id = types.begin(
            name: name, info: TypeInfo(kind, vlen: vlen, flag: flag),
            third: reference == .none ? 0 : reference.rawValue)
        if reference != .none { patches.append(types.position - 1) }
        return id
    }

    mutating func define(_ offset: Int, as id: UInt32) { offsets.set(slot(offset), .type(id)) }

    /// Notes something about the unit under way.
    mutating func note(_ name: UInt32, _ reason: Ledger.Reason) {
        guard ledger != nil, let context = contexts.last else { return }
        note(name, reason, in: context)
    }

    mutating func note(_ name: UInt32, _ reason: Ledger.Reason, in context: UnitContext) {
        guard ledger != nil else { return }
        ledger?.note(types.string(name), unit: context.name, reason)
    }
}
