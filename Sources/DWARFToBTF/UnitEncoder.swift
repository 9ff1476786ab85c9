// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF
internal import Tables

/// Reads one unit's entries in order and appends a record per type; functions and variables are
/// collected for selection. References are DWARF offsets until `resolveReferences`. Each thread
/// has one encoder and empties it between units.
struct UnitEncoder: ~Copyable {
    var data: DWARFData {
        didSet { strings = data.str.cursor() }
    }
    /// `.debug_str` of `data`.
    private var strings: ByteCursor
    let context: EncodeContext
    var features: Features { context.features }

    var types: TypeWriter
    /// The results other than types of the units read since the table was last emptied.
    var findings = UnitFindings()

    var current: UnitUnderWay
    /// Of the unit's skeleton, in a `.dwo` file.
    private var addressBase: UInt64?
    private var codeBase: UInt64?
    /// Units of the table that may have inlined calls, with that feature.
    var siteUnits: [SiteUnit] = []
    /// The types of the table's units in Rust, by number.
    var rustTypes: [Range<Int>] = []
    /// What was said by the units since the table was last emptied.
    private(set) var contexts: [UnitContext] = []
    var references = References()
    var declared = DeclaredEntries()
    var annotations = Annotations()
    private(set) var open = OpenEntries()

    /// Elements of the entries that are open.
    var scratch = Arena<UInt32>()
    /// Children of an entry that is read in one go.
    var children = Arena<PlainChild>()
    var models = CompositeModels()
    var knownNames: NameCache
    /// The arrays that stand for integers of more than 128 bits.
    var largeIntegers: Set<UInt32> = []
    var verdicts = NameVerdicts()
    /// Of the unit read last.
    var lastProducer: (place: StringPlace, producer: Producer)?
    private var die = DIE()
    /// Of a longer name, whose first bytes stand for it: kernels accept up to 511.
    private static let longestName = 4096

    /// - Parameter namesByOffset: numbers of names by their offset in `.debug_str`.
    init(_ context: EncodeContext, _ namesByOffset: SharedNumberTable, firstUnit: Unit) {
        self.context = context
        data = context.data
        strings = context.data.str.cursor()
        types = TypeWriter(names: context.names)
        knownNames = NameCache(namesByOffset)
        current = UnitUnderWay(firstUnit)
    }

    // MARK: The walk

    /// Appends the types of one unit.
    ///
    /// - Returns: false when the unit was left out, because its language is excluded or it
    ///   describes no types.
    mutating func encode(
        _ unit: Unit, table: AbbreviationTable, inTypes: Bool
    ) throws(DWARFError) -> Bool {
        current.begin(unit, inTypes: inTypes, isSplit: data.isSplit)
        open.removeAll()
        scratch.removeAll()
        annotations.beginUnit()
        var reader = try data.entries(of: unit, table: table, inTypes: inTypes)
        // In and out of this struct: the reader fills it while the rest of the struct is in use.
        var die = DIE()
        swap(&die, &self.die)
        defer { swap(&die, &self.die) }
        guard try reader.advance() else { return true }
        try reader.decode(into: &die)
        guard try enterUnit(die) else { return false }
        let detail = try detail(of: die, table)
        let mayComplete = references.links.isShared && table.refersOutside
        guard detail == .types || detail == .linesOnly && mayComplete else {
            noteLinesOnly(detail)
            contexts.removeLast()
            return false
        }
        if detail == .linesOnly { markLinesOnly() }
        defer { if contexts.last?.isLinesOnly == true { noteLinesOnly(.linesOnly) } }
        if die.value(.language) == Language.rust {
            try walkRust(unit, table, &reader, &die, inTypes: inTypes)
            return true
        }
        var filter = EntryFilter(variables: context.wantsVariables)
        while try reader.next(into: &die, filter) {
            while open.depth >= reader.outermost { try close() }
            try visit(die, &reader)
            filter.open = open.depths
            filter.hidden = open.hidden
        }
        while !open.isEmpty { try close() }
        if context.codeSections != nil, !inTypes, contexts.last?.isLinesOnly != true {
            keepForSites(unit, table)
        }
        return true
    }

    /// Records that the unit under way does not say what its functions take and return.
    mutating func markLinesOnly() { contexts[contexts.count - 1].isLinesOnly = true }

    /// Notes that a unit shows names and lines, but not what its functions take and return.
    private mutating func noteLinesOnly(_ detail: UnitDetail) {
        switch detail {
        case .linesOnly: findings.lineTableUnits += 1
        case .unclear: findings.unclearUnits += 1
        case .types, .assembly: break
        }
        if context.keepsLedger, let unit = contexts.last {
            findings.notes.append((context.names.intern(unit.name), unit.name, .lineTablesOnly))
        }
    }

    /// Turns to a file of split units, which has strings of its own.
    ///
    /// - Parameters:
    ///   - addressBase: of the skeleton; nil for type units, which have no addresses.
    ///   - codeBase: `SplitUnit.codeBase`.
    ///   - types: the file's type units.
    mutating func enter(
        _ split: DWARFData, addressBase: UInt64?, codeBase: UInt64?,
        types: WantedTypeUnits? = nil
    ) {
        data = split
        self.addressBase = addressBase
        self.codeBase = codeBase
        references.links = UnitLinks()
        references.links.inAlternate = true
        references.links.isShared = types != nil
        references.links.wantedTypes = types
        references.sectionBase = 0
    }

    /// Turns back from it.
    mutating func leave(to whole: DWARFData) {
        data = whole
        addressBase = nil
        codeBase = nil
        references.links = UnitLinks()
        references.sectionBase = 0
    }

    private mutating func enterUnit(_ die: borrowing DIE) throws(DWARFError) -> Bool {
        if die.has(.strOffsetsBase) { current.strOffsetsBase = die.value(.strOffsetsBase) }
        let unit = current.unit
        let language = die.value(.language)
        let context = UnitContext(
            unit: unit, data: data, name: self.context.keepsLedger ? try unitName(die) : "",
            loclistsBase: data.isSplit && !die.has(.loclistsBase)
                ? (unit.encoding.is64Bit ? 20 : 12) : die.value(.loclistsBase),
            addrBase: addressBase ?? die.value(.addrBase),
            isC: Language.isC(language), isRust: language == Language.rust)
        if self.context.leavesOut(die.has(.language) ? language : nil) {
            if self.context.keepsLedger {
                findings.notes.append(
                    (self.context.names.intern(context.name), context.name, .excludedLanguage))
            }
            return false
        }
        contexts.append(context)
        current.isC = context.isC
        return true
    }

    private mutating func keepForSites(_ unit: Unit, _ table: AbbreviationTable) {
        // The common part that dwz extracts has no code.
        guard !references.links.inAlternate || data.isSplit else { return }
        siteUnits.append(
            SiteUnit(
                unit: unit, table: table, context: contexts.count - 1, codeBase: codeBase,
                origin: references.origin, sectionBase: references.sectionBase,
                addressedBase: references.links.addressedBase))
    }

    mutating func visit(
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
    mutating func push(_ entry: OpenEntry) { open.push(entry, isHiding: !context.keepsLedger) }

    /// Takes back from `open` the entry whose children are all read.
    mutating func popOpen() -> OpenEntry? { open.pop() }

    /// Flags the entry that is open: it takes any further arguments, has a value below zero, or has
    /// a member at a place that BTF cannot express.
    mutating func flagOpen() { open.flagLast() }

    mutating func forgetContexts() { contexts.removeAll(keepingCapacity: true) }

    // MARK: Names and references

    func fail(_ offset: Int, _ message: String) -> DWARFError { current.fail(offset, message) }

    /// The number of the name in `slot`; 0 when the entry has none.
    ///
    /// - Parameter hasWords: names of base types have spaces in all languages, and may.
    @inline(__always)
    mutating func name(
        _ die: borrowing DIE, _ slot: Slot, hasWords: Bool = false
    ) throws(DWARFError) -> UInt32 {
        guard die.has(slot) else { return 0 }
        if die.form(slot) == .strp, !references.links.inAlternate,
            let offset = UInt32(exactly: die.value(slot)), let known = knownNames.find(offset)
        {
            return known
        }
        if die.form(slot) == .string, let offset = Int(exactly: die.value(slot)) {
            let key =
                current.inTypes ? data.types.shortKey(at: offset) : data.info.shortKey(at: offset)
            if key != 0, let known = knownNames.findShort(key) { return known }
        }
        return try newName(die, slot, hasWords)
    }

    private mutating func newName(
        _ die: borrowing DIE, _ slot: Slot, _ hasWords: Bool
    ) throws(DWARFError) -> UInt32 {
        let place = try data.place(
            of: die.value(slot), form: die.form(slot), unit: current.unit,
            strOffsetsBase: current.strOffsetsBase, inTypes: current.inTypes, at: die.offset)
        return try newName(place, die.offset, hasWords: hasWords)
    }

    /// - Parameter die: offset of the entry, for messages.
    mutating func newName(
        _ place: StringPlace, _ die: Int, hasWords: Bool = false
    ) throws(DWARFError) -> UInt32 {
        let isCached = place.section == .str && !references.links.inAlternate
        let offset = UInt32(exactly: place.offset)
        if isCached, let offset, let known = knownNames.find(offset) { return known }
        if isCached, !hasWords, let offset, let name = try newName(at: offset, die) { return name }
        let view = try bytes(of: place, die)
        // Not stored: the next that has it may be no base type.
        if hasWords, view.firstIndex(of: UInt8(ascii: " ")) != nil { return try intern(view, die) }
        context.strangeNames.look(at: view)
        let short = view.shortKey
        if short != 0, let known = knownNames.findShort(short) {
            if isCached, let offset { knownNames.store(known, at: offset) }
            return known
        }
        let name = try intern(view, die)
        if short != 0 { knownNames.store(name, short: short) }
        if isCached, let offset { knownNames.store(name, at: offset) }
        return name
    }

    /// The usual name, at an offset of `.debug_str` that is not known yet; nil for another.
    mutating func newName(at offset: UInt32, _ die: Int) throws(DWARFError) -> UInt32? {
        guard let scan = strings.scanName(at: Int(offset)), scan.count <= Self.longestName else {
            return nil
        }
        context.strangeNames.look(at: scan)
        if scan.shortKey != 0, let known = knownNames.findShort(scan.shortKey) {
            knownNames.store(known, at: offset)
            return known
        }
        let number = strings.withSpan(Int(offset), scan.count) {
            context.names.intern($0, hash: scan.hash)
        }
        guard let number else { throw namesOverlap(die) }
        if scan.shortKey != 0 { knownNames.store(number, short: scan.shortKey) }
        knownNames.store(number, at: offset)
        return number
    }

    private func namesOverlap(_ die: Int) -> DWARFError {
        fail(die, "names overlap: together they are longer than all strings")
    }

    private func intern(_ name: ByteView, _ die: Int) throws(DWARFError) -> UInt32 {
        guard let number = name.withSpan({ context.names.intern($0) }) else {
            throw namesOverlap(die)
        }
        return number
    }

    private func unitName(_ die: borrowing DIE) throws(DWARFError) -> String {
        guard die.has(.name) else { return "" }
        let place = try data.place(
            of: die.value(.name), form: die.form(.name), unit: current.unit,
            strOffsetsBase: current.strOffsetsBase, inTypes: current.inTypes, at: die.offset)
        return String(systemBytes: try bytes(of: place, die.offset).array)
    }

    func bytes(
        of place: StringPlace, _ die: Int, longest: Int = Self.longestName
    ) throws(DWARFError) -> ByteView {
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
        return bytes.slice(place.offset, min(length, longest)) ?? .empty
    }

    /// The name of a type; 0, with a note, if it is not one that kernels accept.
    mutating func typeName(_ die: borrowing DIE) throws(DWARFError) -> UInt32 {
        acceptedName(try name(die, .name))
    }

    /// The entry an attribute refers to.
    @inline(__always)
    func reference(_ die: borrowing DIE, _ slot: Slot) throws(DWARFError) -> EntryReference {
        guard die.has(slot) else { return .none }
        let value = die.value(slot)
        guard let target = references.target(value, form: die.form(slot)) else {
            throw fail(
                die.offset,
                "reference of form 0x\(String(die.form(slot).rawValue, radix: 16)) to 0x"
                    + String(value, radix: 16) + " does not lead to a readable entry")
        }
        return target
    }

    /// Appends a word that becomes the id of what `reference` names.
    mutating func append(_ reference: EntryReference) {
        if reference == .none { return types.append(0) }
        references.wait(types.position)
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
            references.wait(types.position - 1)
        }
        return id
    }

    /// Notes what the entry `die` became.
    @inline(__always)
    mutating func define(_ die: borrowing DIE, as id: UInt32) {
        references.define(references.mark(die.offset), as: id)
    }

    /// Notes what the entry that is closing became.
    mutating func define(_ entry: OpenEntry, as id: UInt32) {
        references.define(entry.place, as: id)
    }

    /// Makes `die` stand for another entry's type.
    mutating func setAlias(_ die: borrowing DIE, of target: EntryReference) {
        references.setAlias(references.mark(die.offset), of: target)
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
