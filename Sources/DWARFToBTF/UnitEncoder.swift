// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

/// An entry that is still open: its children come next in the stream.
struct OpenEntry: BitwiseCopyable {
    enum Sort: BitwiseCopyable {
        case composite, array, enumeration, prototype, function, annotated
    }

    let sort: Sort
    let depth: Int
    /// Its place in the offset table.
    let place: Int
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
/// collected for selection. References are DWARF offsets until `resolveReferences`. Each thread has one
/// and empties it between units.
struct UnitEncoder: ~Copyable {
    var data: DWARFData
    let context: EncodeContext
    var features: Features { context.features }

    var types: TypeWriter
    /// What the units since the table was last emptied come to, beside types.
    var findings = UnitFindings()

    // The unit under way.
    var unit: Unit
    var inTypes = false
    var unitIsC = true
    var strOffsetsBase: UInt64 = 0
    /// Of the unit's skeleton, in a `.dwo` file.
    private var addressBase: UInt64?
    /// What was said by the units since the table was last emptied.
    var contexts: [UnitContext] = []
    /// Section offset of the table's first word, and where the unit's section begins in the table.
    var tableOrigin = 0
    var sectionBase = 0
    /// Where units that refer to each other find others' entries.
    var links = UnitLinks()
    var offsets = OffsetTable()
    /// Words that hold an `EntryReference` for now.
    var patches = Arena<UInt32>()
    /// The same of records with many.
    var runs = Arena<ReferenceRun>()
    /// Words that hold an array's index type.
    var indexPatches = Arena<UInt32>()
    /// Enums whose sign is that of the type they are made on.
    var enumSigns: [(id: UInt32, type: EntryReference)] = []
    var functions = Arena<FunctionEntry>()
    var values = Arena<ValueEntry>()
    /// Variables outside of functions, as indexes into `values`.
    var variables: [Int] = []
    /// Variables of functions, for the ledger.
    var localVariables: [ValueEntry] = []
    var declarationTags: [DeclarationTag] = []
    /// By place in the offset table.
    var annotationEntries: [Int: AnnotationEntry] = [:]
    var declarationChains: [(target: TagTarget, chain: EntryReference, component: Int)] = []
    var taggedPointers: [(id: UInt32, target: EntryReference, chain: EntryReference)] = []

    var open = Arena<OpenEntry>()
    /// A bit for the depth of each of them, below 64.
    var openDepths: UInt64 = 0
    /// The same of functions, unless the ledger asks for their variables; and how many functions are open.
    var hiddenDepths: UInt64 = 0
    var openFunctions = 0
    var scratch = Arena<UInt32>()
    var children = Arena<PlainChild>()
    var models = CompositeModels()
    /// From offsets in the unit to places in the table.
    var plainShift: UInt32 = 0
    var annotations: [Annotation] = []
    var knownNames: NameCache
    private var die = DIE()
    /// Kernels take names of up to 511 bytes.
    private static let longestName = 4096
    /// The integer `int` of the table's units.
    var unitInt: UInt32?

    init(_ context: EncodeContext, firstUnit: Unit) {
        self.context = context
        data = context.data
        types = TypeWriter(names: context.names)
        knownNames = NameCache(context.namesByOffset)
        unit = firstUnit
    }

    // MARK: The walk

    /// Appends the types of one unit.
    ///
    /// - Returns: false when the unit was left out, because its language is excluded.
    mutating func encode(
        _ unit: Unit, table: AbbreviationTable, inTypes: Bool
    ) throws(DWARFError) -> Bool {
        self.unit = unit
        self.inTypes = inTypes
        strOffsetsBase = unit.encoding.is64Bit ? 16 : 8
        // GNU's forerunner of the section has no header.
        if data.isSplit, unit.encoding.version < 5 { strOffsetsBase = 0 }
        open.removeAll()
        scratch.removeAll()
        annotations.removeAll(keepingCapacity: true)
        var reader = try data.entries(of: unit, table: table, inTypes: inTypes)
        // In and out of this struct: the reader fills it while the rest of the struct is in use.
        var die = DIE()
        swap(&die, &self.die)
        defer { swap(&die, &self.die) }
        guard try reader.advance() else { return true }
        try reader.decode(into: &die)
        guard try enterUnit(die) else { return false }
        openDepths = 0
        hiddenDepths = 0
        openFunctions = 0
        var filter = EntryFilter(variables: context.wantsVariables)
        while try reader.next(into: &die, filter) {
            while openDepth >= reader.outermost { try close() }
            try visit(die, &reader)
            filter.open = openDepths
            filter.hidden = hiddenDepths
        }
        while !open.isEmpty { try close() }
        return true
    }

    /// Turns to a file of split units, which has strings of its own.
    ///
    /// - Parameters:
    ///   - addressBase: of the skeleton; nil for type units, which have no addresses.
    ///   - types: the file's type units.
    mutating func enter(
        _ split: DWARFData, addressBase: UInt64?, types: WantedTypeUnits? = nil
    ) {
        data = split
        self.addressBase = addressBase
        links = UnitLinks()
        links.inAlternate = true
        links.isShared = types != nil
        links.wantedTypes = types
        sectionBase = 0
    }

    /// Turns back from it.
    mutating func leave(to whole: DWARFData) {
        data = whole
        addressBase = nil
        links = UnitLinks()
        sectionBase = 0
    }

    private mutating func enterUnit(_ die: borrowing DIE) throws(DWARFError) -> Bool {
        if die.has(.strOffsetsBase) { strOffsetsBase = die.value(.strOffsetsBase) }
        let language = die.value(.language)
        let context = UnitContext(
            unit: unit, data: data, name: self.context.keepsLedger ? try unitName(die) : "",
            loclistsBase: data.isSplit && !die.has(.loclistsBase)
                ? (unit.encoding.is64Bit ? 20 : 12) : die.value(.loclistsBase),
            addrBase: addressBase ?? die.value(.addrBase),
            isC: Language.isC(language))
        if self.context.leavesOut(die.has(.language) ? language : nil) {
            if self.context.keepsLedger {
                findings.notes.append(
                    (self.context.names.intern(context.name), context.name, .excludedLanguage))
            }
            return false
        }
        contexts.append(context)
        unitIsC = context.isC
        return true
    }

    private mutating func visit(
        _ die: borrowing DIE, _ reader: inout EntryReader
    ) throws(DWARFError) {
        switch die.tag {
        case .member, .inheritance, .enumerator, .subrangeType, .unspecifiedParameters:
            try addElement(die)
        case .formalParameter:
            // Parameters of inlined calls stand below entries that are never open.
            try addParameter(die)
        case .baseType:
            try addBaseType(die)
        case .structureType, .unionType, .classType:
            try openComposite(die, &reader)
        case .enumerationType, .arrayType, .subroutineType:
            try openType(die, &reader)
        case .subprogram:
            try openFunction(die)
        case .variable:
            try addVariable(die)
        case .llvmAnnotation:
            try addAnnotation(die)
        case .gnuAnnotation:
            try addAnnotationEntry(die)
        default:
            try addReferring(die)
        }
    }

    /// Opens an entry: its children come next.
    mutating func push(_ entry: OpenEntry) {
        open.append(entry)
        let bit: UInt64 = entry.depth < 64 ? 1 << UInt64(entry.depth) : 0
        openDepths |= bit
        if entry.sort == .function {
            if !context.keepsLedger { hiddenDepths |= bit }
            openFunctions += 1
        }
    }

    /// Depth of the innermost open entry; -1 when none is.
    var openDepth: Int { open.isEmpty ? -1 : open[open.count - 1].depth }

    // MARK: Names and references

    func fail(_ offset: Int, _ message: String) -> DWARFError {
        DWARFError(section: inTypes ? ".debug_types" : ".debug_info", offset: offset, message)
    }

    /// The number of the name in `slot`; 0 when the entry has none.
    @inline(__always)
    mutating func name(_ die: borrowing DIE, _ slot: Slot) throws(DWARFError) -> UInt32 {
        guard die.has(slot) else { return 0 }
        if die.form(slot) == .strp, !links.inAlternate,
            let offset = UInt32(exactly: die.value(slot)), let known = knownNames.find(offset)
        {
            return known
        }
        if die.form(slot) == .string, let offset = Int(exactly: die.value(slot)) {
            let key = inTypes ? data.types.shortKey(at: offset) : data.info.shortKey(at: offset)
            if key != 0, let known = knownNames.findShort(key) { return known }
        }
        return try newName(die, slot)
    }

    private mutating func newName(
        _ die: borrowing DIE, _ slot: Slot
    ) throws(DWARFError) -> UInt32 {
        let place = try data.place(
            of: die.value(slot), form: die.form(slot), unit: unit, strOffsetsBase: strOffsetsBase,
            inTypes: inTypes, at: die.offset)
        return try newName(place, die.offset)
    }

    /// - Parameter die: offset of the entry, for messages.
    mutating func newName(_ place: StringPlace, _ die: Int) throws(DWARFError) -> UInt32 {
        let isCached = place.section == .str && !links.inAlternate
        let offset = UInt32(exactly: place.offset)
        if isCached, let offset, let known = knownNames.find(offset) { return known }
        let view = try bytes(of: place, die)
        let short = view.shortKey
        if short != 0, let known = knownNames.findShort(short) {
            if isCached, let offset { knownNames.store(known, at: offset) }
            return known
        }
        guard let name = view.withSpan({ context.names.intern($0) }) else {
            throw fail(die, "names overlap: together they are longer than all strings")
        }
        if short != 0 { knownNames.store(name, short: short) }
        if isCached, let offset { knownNames.store(name, at: offset) }
        return name
    }

    private func unitName(_ die: borrowing DIE) throws(DWARFError) -> String {
        guard die.has(.name) else { return "" }
        let place = try data.place(
            of: die.value(.name), form: die.form(.name), unit: unit,
            strOffsetsBase: strOffsetsBase, inTypes: inTypes, at: die.offset)
        return String(systemBytes: try bytes(of: place, die.offset).array)
    }

    private func bytes(of place: StringPlace, _ die: Int) throws(DWARFError) -> ByteView {
        let bytes = data.bytes(of: place.section)
        var cursor = bytes.cursor()
        let length: Int
        do throws(ByteError) {
            try cursor.seek(to: place.offset)
            length = try cursor.skipCString()
        } catch {
            throw fail(
                die, "name at string offset 0x\(String(place.offset, radix: 16)) is not terminated")
        }
        guard length <= Self.longestName else {
            throw fail(die, "name of \(length) bytes, expected at most \(Self.longestName)")
        }
        return bytes.slice(place.offset, length) ?? .empty
    }

    /// The name of a type; 0, with a note, where the unit's language allows what no kernel takes.
    mutating func typeName(_ die: borrowing DIE) throws(DWARFError) -> UInt32 {
        let name = try name(die, .name)
        if unitIsC || name == 0 { return name }
        if isIdentifier(context.names.bytes(of: name)[...], for: context.target) {
            return name
        }
        note(name, .invalidName)
        return 0
    }

    /// Where an entry of this unit's section stands in the offset table.
    func slot(_ offset: Int) -> Int { offset - tableOrigin + sectionBase }

    /// The entry an attribute refers to.
    @inline(__always)
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
        // At 0 stands the header of a unit, and a word 0 says void.
        guard target > 0, target < offsets.count, let raw = UInt32(exactly: target) else {
            throw fail(
                die.offset,
                "reference of form 0x\(String(die.form(slot).rawValue, radix: 16)) to 0x"
                    + String(value, radix: 16) + " does not lead to a readable entry")
        }
        return EntryReference(rawValue: raw)
    }

    /// Appends a word that becomes the id of what `reference` names.
    mutating func append(_ reference: EntryReference) {
        if reference == .none { return types.append(0) }
        patches.append(UInt32(truncatingIfNeeded: types.position))
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
        if reference != .none {
            patches.append(UInt32(truncatingIfNeeded: types.position - 1))
        }
        return id
    }

    /// Notes what the entry `die` became.
    @inline(__always)
    mutating func define(_ die: borrowing DIE, as id: UInt32) {
        offsets.set(offsets.mark(slot(die.offset)), .type(id & ~TypeWriter.unstored))
    }

    /// Notes what the entry that is closing became.
    mutating func define(_ entry: OpenEntry, as id: UInt32) {
        offsets.set(entry.place, .type(id & ~TypeWriter.unstored))
    }

    /// Makes `die` stand for another entry's type.
    mutating func setAlias(_ die: borrowing DIE, of target: EntryReference) {
        offsets.setAlias(offsets.mark(slot(die.offset)), of: target)
    }

    mutating func aliasToVoid(_ die: borrowing DIE) { setAlias(die, of: .none) }

    /// Notes something about the unit under way.
    mutating func note(_ name: UInt32, _ reason: Ledger.Reason) {
        if let unit = contexts.last { note(name, reason, in: unit) }
    }

    mutating func note(_ name: UInt32, _ reason: Ledger.Reason, in unit: UnitContext) {
        if context.keepsLedger { findings.notes.append((name, unit.name, reason)) }
    }
}
