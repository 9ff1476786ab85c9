// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// One step of the program that passes over an entry's attributes.
struct AbbreviationStep: BitwiseCopyable {
    enum Operation: UInt8 {
        /// Pass over `count` bytes.
        case skipBytes
        case skipLEB
        case skipString
        case skipBlock1
        case skipBlock2
        case skipBlock4
        case skipBlock
        case skipIndirect
        /// Read a value of `form` into `slot`.
        case load
        /// The same for forms that are read often: fixed sizes, references inside the unit, LEB128.
        case load1, load2, load4, load8
        case loadReference1, loadReference2, loadReference4
        case loadLEB, loadPresent, loadBlock, loadString
        /// The value is `count`, sign-extended.
        case constant
        /// The value is constant `count` of the compiler's.
        case longConstant
    }

    let operation: Operation
    let slot: UInt8
    let form: UInt16
    let count: UInt32
}

/// A wanted attribute that stands at a fixed place of its entry: read without deciding anything.
struct FixedLoad: BitwiseCopyable {
    /// The bits of the eight bytes at `offset` that are the value's.
    let mask: UInt64
    /// Is added to the value: the constant of forms that take no bytes.
    let constant: Int32
    /// Bytes from the end of the abbreviation code.
    let offset: UInt16
    let form: UInt16
    let slot: UInt8
    /// The value counts from the unit's start.
    let isReference: Bool
}

/// One abbreviation declaration (DWARF 5 section 7.5.3), compiled twice: to pass over an entry, with
/// neighbouring fixed sizes merged, and to decode the wanted attributes of one.
package struct Abbreviation: BitwiseCopyable, Sendable {
    package let tag: Tag
    package let hasChildren: Bool
    /// What `EntryReader.next` does with such entries.
    let interest: EntryInterest
    /// It declares so many attributes that they may not fit the bytes kept free behind a unit.
    let isLong: Bool
    /// Some attribute may refer to another unit or file.
    let refersOutside: Bool
    /// See `EntryReader.nextMember`.
    fileprivate(set) var isPlainMember = false
    private(set) var skipStart: UInt32
    private(set) var skipEnd: UInt32
    private(set) var loadEnd: UInt32
    /// The attributes up to the first one of varying length: how many bytes they take, which slots they
    /// fill, how to read them, and the step that comes next.
    var fixedSize: UInt16 = 0
    var fixedSlots: UInt32 = 0
    var fixedStart: UInt32 = 0
    var fixedEnd: UInt32 = 0
    var restStart: UInt32
    /// Place of the declared attributes, for readers that want all of them.
    let specStart: UInt32
    let specEnd: UInt32

    init(
        tag: Tag, hasChildren: Bool, interest: EntryInterest, isLong: Bool, refersOutside: Bool,
        skipStart: UInt32, skipEnd: UInt32, loadEnd: UInt32, specStart: UInt32, specEnd: UInt32
    ) {
        self.tag = tag
        self.hasChildren = hasChildren
        self.interest = interest
        self.isLong = isLong
        self.refersOutside = refersOutside
        self.skipStart = skipStart
        self.skipEnd = skipEnd
        self.loadEnd = loadEnd
        restStart = skipEnd
        self.specStart = specStart
        self.specEnd = specEnd
    }

    /// Its steps and fixed loads were moved to other places.
    mutating func move(by distance: Int, fixed: Int) {
        // A table has fewer than 2^32 steps: each takes a byte of the section.
        restStart = UInt32(truncatingIfNeeded: Int(restStart) + distance)
        fixedStart = UInt32(truncatingIfNeeded: Int(fixedStart) + fixed)
        fixedEnd = UInt32(truncatingIfNeeded: Int(fixedEnd) + fixed)
        skipStart = UInt32(truncatingIfNeeded: Int(skipStart) + distance)
        skipEnd = UInt32(truncatingIfNeeded: Int(skipEnd) + distance)
        loadEnd = UInt32(truncatingIfNeeded: Int(loadEnd) + distance)
    }
}

/// An attribute as declared: for reading entries whole.
package struct AttributeSpec: BitwiseCopyable, Sendable {
    package let attribute: Attribute
    package let form: Form
    package let implicitConstant: Int64
}

/// The abbreviations of a unit.
package final class AbbreviationTable {
    /// Knows what was declared word for word.
    let compiler: AbbreviationCompiler
    /// Entries of code 1, 2, 3 ..., as compilers make them.
    let dense: Arena<Abbreviation>
    private let sparse: [UInt64: Abbreviation]
    let steps: Arena<AbbreviationStep>
    let fixedLoads: Arena<FixedLoad>
    /// Some entry may refer to another unit or file.
    package let refersOutside: Bool

    fileprivate init(_ draft: consuming AbbreviationDraft, _ compiler: AbbreviationCompiler) {
        self.compiler = compiler
        sparse = draft.sparse
        refersOutside = draft.refersOutside
        dense = draft.dense
        steps = draft.steps
        fixedLoads = draft.fixedLoads
    }

    /// The abbreviation with this code, nil when there is none.
    func find(_ code: UInt64) -> Abbreviation? {
        // Code 0 is the caller's.
        code <= UInt64(dense.count) ? dense[Int(code) - 1] : sparse[code]
    }
}

/// A table being read.
private struct AbbreviationDraft: ~Copyable {
    var dense = Arena<Abbreviation>(capacity: 512)
    var sparse: [UInt64: Abbreviation] = [:]
    var steps = Arena<AbbreviationStep>(capacity: 4096)
    var fixedLoads = Arena<FixedLoad>(capacity: 1024)
    var refersOutside = false

    /// Takes over an entry of the compiler's; false when its code was declared before.
    mutating func insert(
        _ code: UInt64, _ entry: Abbreviation, _ compiled: borrowing Arena<AbbreviationStep>,
        _ fixed: borrowing Arena<FixedLoad>
    ) -> Bool {
        var own = entry
        own.move(
            by: steps.count - Int(entry.skipStart), fixed: fixedLoads.count - Int(entry.fixedStart))
        steps.append(compiled, Int(entry.skipStart)..<Int(entry.loadEnd))
        fixedLoads.append(fixed, Int(entry.fixedStart)..<Int(entry.fixedEnd))
        if entry.refersOutside { refersOutside = true }
        if code == UInt64(dense.count) + 1 {
            dense.append(own)
            return true
        }
        return code > UInt64(dense.count) && sparse.updateValue(own, forKey: code) == nil
    }
}

/// Compiles tables of abbreviations, for units of the same address and offset sizes. Units have tables of
/// their own but declare the same things: what is declared with the same bytes is compiled once.
package final class AbbreviationCompiler {
    private let section: ByteView
    package let encoding: UnitEncoding
    fileprivate(set) var entries = Arena<Abbreviation>(capacity: 512)
    private(set) var steps = Arena<AbbreviationStep>(capacity: 4096)
    private var fixedLoads = Arena<FixedLoad>(capacity: 1024)
    private(set) var constants = Arena<Int64>()
    private(set) var specs = Arena<AttributeSpec>(capacity: 2048)
    /// Entries by the hash of their declaration, and where the first of each lies in the section.
    private var known = HashChains()
    private var places = Arena<Int>()

    /// - Parameter section: the bytes of `.debug_abbrev`.
    package init(_ section: ByteView, encoding: UnitEncoding) {
        self.section = section
        self.encoding = encoding
    }

    /// The table at `offset` of the section.
    ///
    /// - Throws: a form this room does not know, a code used twice, or data that ends too early.
    package func table(at offset: UInt64) throws(DWARFError) -> AbbreviationTable {
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
                if code == 0 { break }
                let declaration = cursor.offset
                let hash = try Self.pass(&cursor)
                var entry = find(declaration, cursor.offset - declaration, hash)
                if entry == nil { entry = try compile(declaration, hash, &fault) }
                guard let entry else { break }
                if !draft.insert(code, entries[Int(entry)], steps, fixedLoads) {
                    fault = DWARFError(
                        section: ".debug_abbrev", offset: at,
                        "abbreviation \(code) is declared twice")
                }
            }
        } catch {
            throw DWARFError(section: ".debug_abbrev", error)
        }
        if let fault { throw fault }
        return AbbreviationTable(draft, self)
    }

    /// Passes over a declaration from its tag on, and hashes it.
    private static func pass(_ cursor: inout ByteCursor) throws(ByteError) -> UInt64 {
        var mixer = Mixer(try cursor.readULEB())
        mixer.add(UInt64(try cursor.readU8()))
        while true {
            let attribute = try cursor.readULEB()
            let form = try cursor.readULEB()
            if form == UInt64(Form.implicitConst.rawValue) {
                mixer.add(UInt64(bitPattern: try cursor.readSLEB()))
            }
            if attribute == 0, form == 0 { return mixer.value }
            mixer.add(attribute << 32 ^ form)
        }
    }

    /// The entry that was declared with the same bytes.
    private func find(_ start: Int, _ length: Int, _ hash: UInt64) -> UInt32? {
        var entry = known.first(hash: hash)
        while let candidate = entry {
            if section.hasSameBytes(start, places[Int(candidate)], length) { return candidate }
            entry = known.after(candidate, hash: hash)
        }
        return nil
    }

    /// Compiles the declaration at `start`, which `pass` has read; nil with a fault.
    private func compile(
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
            // An attribute beyond 16 bits is nobody's; 0 is kept as "no name we know".
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

    private func finish(_ tag: Tag, hasChildren: Bool, _ firstSpec: Int) {
        let skipStart = steps.count
        compileSteps(firstSpec, loading: false)
        let skipEnd = steps.count
        compileSteps(firstSpec, loading: true)
        var refersOutside = false
        for index in firstSpec..<specs.count {
            switch specs[index].form {
            case .refAddr, .refSig8, .gnuRefAlt, .refSup4, .refSup8: refersOutside = true
            default: break
            }
        }
        var entry =
            Abbreviation(
                tag: tag, hasChildren: hasChildren, interest: EntryInterest(tag),
                // No value but a string or a block, whose lengths are checked, takes more than 16 bytes.
                isLong: (specs.count - firstSpec + 1) * 16 > EntryReader.slack,
                refersOutside: refersOutside,
                skipStart: UInt32(skipStart), skipEnd: UInt32(skipEnd),
                loadEnd: UInt32(steps.count),
                specStart: UInt32(firstSpec), specEnd: UInt32(specs.count))
        // Masks are for numbers that begin with their lowest byte.
        if !encoding.bigEndian, !entry.isLong { compileFixed(&entry) }
        entries.append(entry)
    }

    /// Makes fixed loads of the first steps.
    private func compileFixed(_ entry: inout Abbreviation) {
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
        entry.isPlainMember = isPlainMember(entry)
    }

    private func isPlainMember(_ entry: Abbreviation) -> Bool {
        guard entry.tag == .member, !entry.hasChildren, entry.restStart == entry.loadEnd else {
            return false
        }
        for index in Int(entry.fixedStart)..<Int(entry.fixedEnd) {
            let load = fixedLoads[index]
            switch load.slot {
            case Slot.name.rawValue:
                guard Form(rawValue: load.form) == .strp, load.mask == 0xffff_ffff else {
                    return false
                }
            case Slot.type.rawValue:
                guard load.isReference else { return false }
            case Slot.dataMemberLocation.rawValue, Slot.dataBitOffset.rawValue,
                Slot.bitSize.rawValue:
                break
            default: return false
            }
        }
        return true
    }

    private func compileSteps(_ firstSpec: Int, loading: Bool) {
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

    private func flush(_ fixed: inout UInt32) {
        guard fixed > 0 else { return }
        steps.append(AbbreviationStep(operation: .skipBytes, slot: 0, form: 0, count: fixed))
        fixed = 0
    }

    private func add(
        _ operation: AbbreviationStep.Operation, _ slot: Slot, _ form: Form, _ count: UInt32 = 0
    ) {
        steps.append(
            AbbreviationStep(
                operation: operation, slot: slot.rawValue, form: form.rawValue, count: count))
    }
}
