// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Tables

/// Compiles abbreviation tables for units with the same address and offset sizes. Units have tables
/// of their own but declare the same things: declarations with the same bytes are compiled once.
package final class AbbreviationCompiler {
    package let encoding: UnitEncoding
    private var compiled: CompiledAbbreviations
    private let allowance: ReadAllowance

    /// - Parameter section: the bytes of `.debug_abbrev`.
    init(_ section: ByteView, encoding: UnitEncoding, _ allowance: ReadAllowance) {
        self.encoding = encoding
        self.allowance = allowance
        compiled = CompiledAbbreviations(section, encoding: encoding)
    }

    /// The table at `offset` of the section.
    ///
    /// - Throws: for an unknown form, a code declared twice, more attributes than any entry has,
    ///   data that ends too early, or tables that overlap so that everything would be read over and
    ///   over.
    package func table(at offset: UInt64) throws(DWARFError) -> AbbreviationTable {
        let draft = try compiled.draft(at: offset, allowance)
        // SAFETY: `compiled` keeps the memory that these point to.
        return unsafe AbbreviationTable(
            draft, self, steps: compiled.steps.start, fixedLoads: compiled.fixedLoads.start,
            plainLayouts: compiled.plainLayouts.start)
    }

    func constant(_ index: Int) -> Int64 { compiled.constants[index] }
    func spec(_ index: Int) -> AttributeSpec { compiled.specs[index] }
}

/// The compiler's state. A struct, so that one access to the compiler covers a whole table.
private struct CompiledAbbreviations: ~Copyable {
    private let section: ByteView
    private let encoding: UnitEncoding
    private var entries = Arena<Abbreviation>(capacity: 512)
    private(set) var steps = Arena<AbbreviationStep>(capacity: 4096)
    private(set) var fixedLoads = Arena<FixedLoad>(capacity: 1024)
    private(set) var plainLayouts = Arena<PlainLayout>()
    /// Previous memory of steps, loads and layouts, before they grew: earlier tables still point
    /// there.
    private var retired: [AnyObject] = []
    private(set) var constants = Arena<Int64>()
    private(set) var specs = Arena<AttributeSpec>(capacity: 2048)
    /// Entries by the hash of their declaration, and the offset of the first occurrence in the
    /// section.
    private var known = HashChains()
    private var places = Arena<Int>()

    init(_ section: ByteView, encoding: UnitEncoding) {
        self.section = section
        self.encoding = encoding
    }

    /// Attributes that a declaration may have: compilers use fewer than fifty.
    private static let mostAttributes = 1 << 16

    /// The table at `offset` of the section.
    mutating func draft(
        at offset: UInt64, _ allowance: ReadAllowance
    ) throws(DWARFError) -> AbbreviationDraft {
        var draft = AbbreviationDraft()
        var fault: DWARFError?
        do throws(ByteError) {
            guard let start = Int(exactly: offset), start <= section.count else {
                throw ByteError.truncated(offset: Int(clamping: offset))
            }
            var cursor = section.cursor(bigEndian: encoding.bigEndian)
            try cursor.seek(to: start)
            while fault == nil {
                let at = cursor.offset
                let code = try cursor.readULEB()
                if code == 0 {
                    if !allowance.take(cursor.offset - start) {
                        fault = DWARFError(
                            section: ".debug_abbrev", offset: start,
                            "abbreviation tables overlap so much that they would be read over and over"
                        )
                    }
                    break
                }
                let declaration = cursor.offset
                if let end = unsafe Self.quickEnd(cursor.start, declaration, cursor.count) {
                    try cursor.seek(to: end)
                } else {
                    try Self.pass(&cursor)
                }
                let hash = section.hash(of: declaration, cursor.offset - declaration)
                var entry = find(declaration, cursor.offset - declaration, hash)
                if entry == nil { entry = try compile(declaration, hash, &fault) }
                guard let entry else { break }
                if !draft.insert(code, entries[Int(entry)]) {
                    fault = DWARFError(
                        section: ".debug_abbrev", offset: at,
                        "abbreviation \(code) is declared twice")
                }
            }
        } catch {
            throw DWARFError(section: ".debug_abbrev", error)
        }
        if let fault { throw fault }
        return draft
    }

    /// Skips a declaration, starting at its tag.
    private static func pass(_ cursor: inout ByteCursor) throws(ByteError) {
        _ = try cursor.readULEB()
        _ = try cursor.readU8()
        while true {
            let attribute = try cursor.readULEB()
            let form = try cursor.readULEB()
            if form == UInt64(Form.implicitConst.rawValue) { _ = try cursor.readSLEB() }
            if attribute == 0, form == 0 { return }
        }
    }

    /// The end of the declaration at `start`, if it is easy to find: nil near the end of the
    /// `count` bytes, and for codes of many bytes.
    @unsafe
    private static func quickEnd(_ base: UnsafeRawPointer, _ start: Int, _ count: Int) -> Int? {
        // SAFETY: fewer than 16 bytes are read between two checks of `last`.
        func byte(_ at: Int) -> UInt8 { unsafe base.load(fromByteOffset: at, as: UInt8.self) }
        let last = count &- 16
        guard start <= last else { return nil }
        var at = start
        while byte(at) >= 0x80 {
            at &+= 1
            if at &- start > 3 { return nil }
        }
        at &+= 2  // and whether it has children
        while at <= last {
            var attribute = byte(at)
            at &+= 1
            if attribute >= 0x80 {
                attribute = byte(at)
                at &+= 1
                if attribute &- 1 >= 0x7f { return nil }
            }
            let form = byte(at)
            at &+= 1
            if form &- 1 >= 0x7f { return form | attribute == 0 ? at : nil }
            if form == UInt8(truncatingIfNeeded: Form.implicitConst.rawValue) {
                let number = at
                while byte(at) >= 0x80 {
                    at &+= 1
                    if at &- number > 8 { return nil }
                }
                at &+= 1
            }
        }
        return nil
    }

    /// The entry declared with the same bytes.
    private func find(_ start: Int, _ length: Int, _ hash: UInt64) -> UInt32? {
        var entry = known.first(hash: hash)
        while let candidate = entry {
            if section.hasSameBytes(start, places[Int(candidate)], length) { return candidate }
            entry = known.after(candidate, hash: hash)
        }
        return nil
    }

    /// Compiles the declaration at `start`, which `pass` has read; nil and a fault on failure.
    private mutating func compile(
        _ start: Int, _ hash: UInt64, _ fault: inout DWARFError?
    ) throws(ByteError) -> UInt32? {
        var cursor = section.cursor(bigEndian: encoding.bigEndian)
        try cursor.seek(to: start)
        let tag = try cursor.readULEB()
        let children = try cursor.readU8()
        let firstSpec = specs.count
        while true {
            let at = cursor.offset
            let attribute = try cursor.readULEB()
            let form = try cursor.readULEB()
            let implicit: Int64 =
                form == UInt64(Form.implicitConst.rawValue) ? try cursor.readSLEB() : 0
            if attribute == 0, form == 0 { break }
            guard let code = UInt16(exactly: form), encoding.size(of: Form(rawValue: code)) != nil
            else {
                fault = DWARFError(
                    section: ".debug_abbrev", offset: at,
                    "unknown form 0x\(String(form, radix: 16)) (DWARF \(encoding.version))")
                return nil
            }
            guard specs.count - firstSpec < Self.mostAttributes else {
                fault = DWARFError(
                    section: ".debug_abbrev", offset: start,
                    "abbreviation of more than \(Self.mostAttributes) attributes")
                return nil
            }
            // No attribute exceeds 16 bits; 0 stands for unknown names.
            specs.append(
                AttributeSpec(
                    attribute: Attribute(rawValue: UInt16(exactly: attribute) ?? 0),
                    form: Form(rawValue: code), implicitConstant: implicit))
        }
        known.append(hash: hash)
        places.append(start)
        finish(Tag(rawValue: UInt16(exactly: tag) ?? 0), hasChildren: children != 0, firstSpec)
        return UInt32(truncatingIfNeeded: entries.count - 1)
    }

    private mutating func finish(_ tag: Tag, hasChildren: Bool, _ firstSpec: Int) {
        makeRoom(specs.count - firstSpec)
        let skipStart = steps.count
        compileSteps(firstSpec, loading: false)
        let skipEnd = steps.count
        compileSteps(firstSpec, loading: true)
        var refersOutside = false
        var saysTypes = tag.isType
        var hasFrame = false
        for index in firstSpec..<specs.count {
            let isOutside =
                switch specs[index].form {
                case .refAddr, .refSig8, .gnuRefAlt, .refSup4, .refSup8: true
                default: false
                }
            if isOutside { refersOutside = true }
            switch specs[index].attribute {
            case .type, .prototyped: saysTypes = true
            case .abstractOrigin, .specification: if isOutside { saysTypes = true }
            case .frameBase: hasFrame = true
            default: break
            }
        }
        var entry =
            Abbreviation(
                tag: tag, hasChildren: hasChildren, interest: EntryInterest(tag),
                // Only strings and blocks, whose lengths are checked, take more than 16 bytes.
                isLong: (specs.count - firstSpec + 1) * 16 > EntryReader.slack,
                refersOutside: refersOutside,
                skipStart: UInt32(skipStart), skipEnd: UInt32(skipEnd),
                loadEnd: UInt32(steps.count),
                specStart: UInt32(firstSpec), specEnd: UInt32(specs.count))
        entry.saysTypes = saysTypes
        entry.hasFrame = hasFrame
        // Masks work for numbers that begin with their lowest byte.
        if !encoding.bigEndian, !entry.isLong { compileFixed(&entry) }
        entries.append(entry)
    }

    /// Reserves memory for the result of a declaration with `count` attributes: two steps each, and
    /// one to skip bytes before each; two loads each; a layout.
    private mutating func makeRoom(_ count: Int) {
        if let old = steps.reserve(4 * count + 4) { retired.append(Retired(old)) }
        if let old = fixedLoads.reserve(2 * count) { retired.append(Retired(old)) }
        if let old = plainLayouts.reserve(1) { retired.append(Retired(old)) }
    }

    private mutating func compileFixed(_ entry: inout Abbreviation) {
        compileLoads(&entry)
        if let layout = plainLayout(entry) {
            entry.plainLayout = UInt32(plainLayouts.count)
            plainLayouts.append(layout)
            if let simple = SimpleLayout(layout) {
                entry.simpleTag = entry.tag
                entry.simple = simple
            }
        }
    }

    /// Turns the first steps into fixed loads.
    private mutating func compileLoads(_ entry: inout Abbreviation) {
        entry.fixedStart = UInt32(fixedLoads.count)
        var offset = 0
        loop: for index in Int(entry.skipEnd)..<Int(entry.loadEnd) {
            let step = steps[index]
            let width: Int
            switch step.operation {
            case .skipBytes:
                offset += Int(step.count)
                entry.restStart += 1
                continue
            case .load1, .loadReference1: width = 1
            case .load2, .loadReference2: width = 2
            case .load4, .loadReference4: width = 4
            case .load8: width = 8
            case .loadPresent, .constant: width = 0
            default: break loop
            }
            let isReference: Bool =
                switch step.operation {
                case .loadReference1, .loadReference2, .loadReference4: true
                default: false
                }
            fixedLoads.append(
                FixedLoad(
                    mask: width == 8 ? .max : 1 << UInt64(width * 8) - 1,
                    constant: step.operation == .loadPresent
                        ? 1 : step.operation == .constant ? Int32(bitPattern: step.count) : 0,
                    offset: UInt16(offset), form: step.form, slot: step.slot,
                    isReference: isReference))
            entry.fixedSlots |= 1 << UInt32(step.slot)
            entry.restStart += 1
            offset += width
        }
        entry.fixedEnd = UInt32(fixedLoads.count)
        entry.fixedSize = UInt16(offset)
    }

    private mutating func plainLayout(_ entry: Abbreviation) -> PlainLayout? {
        switch entry.tag {
        case .member, .enumerator, .formalParameter: break
        default: return nil
        }
        var layout = PlainLayout()
        var loads = Int(entry.fixedStart)..<Int(entry.fixedEnd)
        layout.size = Int(entry.fixedSize)
        var steps = Int(entry.restStart)..<Int(entry.loadEnd)
        if let first = steps.first, loads.isEmpty, entry.fixedSize == 0,
            self.steps[first].operation == .loadString, self.steps[first].slot == Slot.name.rawValue
        {
            // Is everything after the string of fixed size?
            layout.hasString = true
            var rest = Abbreviation(
                tag: entry.tag, hasChildren: false, interest: .part, isLong: false,
                refersOutside: false, skipStart: entry.skipStart,
                skipEnd: UInt32(first + 1), loadEnd: entry.loadEnd, specStart: 0, specEnd: 0)
            compileLoads(&rest)
            loads = Int(rest.fixedStart)..<Int(rest.fixedEnd)
            layout.size = Int(rest.fixedSize)
            steps = Int(rest.restStart)..<Int(rest.loadEnd)
        }
        if let last = steps.first, steps.count == 1, entry.tag == .enumerator,
            self.steps[last].operation == .loadSLEB,
            self.steps[last].slot == Slot.constValue.rawValue
        {
            layout.endsInNumber = true
            steps = last..<last
        }
        guard !entry.hasChildren, steps.isEmpty else { return nil }
        var seen: UInt32 = 0
        for index in loads {
            let load = fixedLoads[index]
            let field = PlainLayout.Field(load)
            seen |= 1 << UInt32(load.slot)
            switch Slot(rawValue: load.slot) {
            case .name where load.mask == 0xffff_ffff && load.form == Form.strp.rawValue:
                layout.name = field
            case .type where load.isReference && entry.tag != .enumerator: layout.type = field
            case .constValue where entry.tag == .enumerator: layout.number = field
            case .dataMemberLocation
            where entry.tag == .member && load.form != Form.secOffset.rawValue:
                layout.number = field
            case .dataBitOffset where entry.tag == .member: layout.bits = field
            case .bitSize where entry.tag == .member: layout.width = field
            default: return nil
            }
        }
        func has(_ slot: Slot) -> Bool { seen & 1 << UInt32(slot.rawValue) != 0 }
        // The general path decides which of the two counts.
        if has(.dataMemberLocation), has(.dataBitOffset) { return nil }
        layout.isRare = layout.endsInNumber || has(.dataBitOffset) || has(.bitSize)
        return layout
    }

    private mutating func compileSteps(_ firstSpec: Int, loading: Bool) {
        var fixed: UInt32 = 0
        for index in firstSpec..<specs.count {
            let spec = specs[index]
            if loading, let slot = Slot(spec.attribute) {
                flush(&fixed)
                if spec.form == .implicitConst {
                    if let short = Int32(exactly: spec.implicitConstant) {
                        add(.constant, slot, spec.form, UInt32(bitPattern: short))
                    } else {
                        add(.longConstant, slot, spec.form, UInt32(constants.count))
                        constants.append(spec.implicitConstant)
                    }
                } else {
                    add(encoding.loadOperation(of: spec.form), slot, spec.form)
                }
                continue
            }
            switch encoding.size(of: spec.form)! {
            case .fixed(let bytes): fixed += UInt32(bytes)
            case .variable(let operation):
                flush(&fixed)
                steps.append(AbbreviationStep(operation: operation, slot: 0, form: 0, count: 0))
            }
        }
        flush(&fixed)
    }

    private mutating func flush(_ fixed: inout UInt32) {
        guard fixed > 0 else { return }
        steps.append(AbbreviationStep(operation: .skipBytes, slot: 0, form: 0, count: fixed))
        fixed = 0
    }

    private mutating func add(
        _ operation: AbbreviationStep.Operation, _ slot: Slot, _ form: Form, _ count: UInt32 = 0
    ) {
        steps.append(
            AbbreviationStep(
                operation: operation, slot: slot.rawValue, form: form.rawValue, count: count))
    }
}

/// Keeps memory alive.
private final class Retired<Element: BitwiseCopyable> {
    private let block: Arena<Element>

    init(_ block: consuming Arena<Element>) { self.block = block }
}
