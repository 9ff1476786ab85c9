// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// One step of the program that processes an entry's attributes.
struct AbbreviationStep: BitwiseCopyable {
    enum Operation: UInt8 {
        /// Skip `count` bytes.
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
        /// The same for frequent forms: fixed sizes, references inside the unit, LEB128.
        case load1, load2, load4, load8
        case loadReference1, loadReference2, loadReference4
        case loadLEB, loadSLEB, loadPresent, loadBlock, loadString
        /// The value is `count`, sign-extended.
        case constant
        /// The value is constant number `count` of the compiler.
        case longConstant
    }

    let operation: Operation
    let slot: UInt8
    let form: UInt16
    let count: UInt32
}

/// A wanted attribute at a fixed offset in its entry, which is read without branches.
struct FixedLoad: BitwiseCopyable {
    /// Selects the bits of the value from the eight bytes at `offset`.
    let mask: UInt64
    /// Added to the value: the constant of forms without bytes.
    let constant: Int32
    /// Bytes from the end of the abbreviation code.
    let offset: UInt16
    let form: UInt16
    let slot: UInt8
    /// The value is relative to the unit's start.
    let isReference: Bool
}

/// Where a plain child (`EntryReader.plainChildren`) keeps its values. The mask is 0 for values
/// that are absent or in the abbreviation.
struct PlainLayout: BitwiseCopyable {
    struct Field: BitwiseCopyable {
        var mask: UInt64 = 0
        /// Added to the value: the constant of forms without bytes.
        var constant: UInt64 = 0
        var offset = 0

        init() {}
        init(_ load: FixedLoad) {
            mask = load.mask
            constant = UInt64(bitPattern: Int64(load.constant))
            offset = Int(load.offset)
        }
    }

    var name = Field()
    var type = Field()
    /// Byte offset of a member, value of an enumerator.
    var number = Field()
    var bits = Field()
    var width = Field()
    /// Has `bits`, `width` or `endsInNumber`.
    var isRare = false
    /// `number` is a signed LEB128 number and comes last, after everything of fixed size.
    var endsInNumber = false
    /// The name comes first, as a string; offsets are relative to its end.
    var hasString = false
    var size = 0
}

/// The most frequent kind of `PlainLayout`: a name in `.debug_str`, a type in the unit and a
/// number, each of up to four bytes or absent, with nothing of varying length before or between
/// them.
struct SimpleLayout: BitwiseCopyable {
    var nameMask: UInt32 = 0
    var typeMask: UInt32 = 0
    var numberMask: UInt32 = 0
    /// Bytes from the end of the abbreviation code.
    var name: UInt8 = 0
    var type: UInt8 = 0
    var number: UInt8 = 0
    var size: UInt8 = 0

    init() {}

    /// nil for layouts that are not simple.
    init?(_ layout: PlainLayout) {
        guard !layout.hasString, !layout.isRare, layout.number.constant == 0,
            let nameMask = UInt32(exactly: layout.name.mask),
            let typeMask = UInt32(exactly: layout.type.mask),
            let numberMask = UInt32(exactly: layout.number.mask),
            let name = UInt8(exactly: layout.name.offset),
            let type = UInt8(exactly: layout.type.offset),
            let number = UInt8(exactly: layout.number.offset),
            let size = UInt8(exactly: layout.size)
        else { return nil }
        self.nameMask = nameMask
        self.typeMask = typeMask
        self.numberMask = numberMask
        self.name = name
        self.type = type
        self.number = number
        self.size = size
    }
}

/// One abbreviation declaration (DWARF 5 section 7.5.3), compiled twice: to skip an entry, with
/// neighbouring fixed sizes merged, and to decode its wanted attributes.
package struct Abbreviation: BitwiseCopyable, Sendable {
    package let tag: Tag
    package let hasChildren: Bool
    /// How `EntryReader.next` treats such entries.
    let interest: EntryInterest
    /// It declares so many attributes that they may exceed the bytes kept free after a unit.
    let isLong: Bool
    /// Some attribute may refer to another unit or file.
    let refersOutside: Bool
    /// It is for types, or for entries that have one, be it in another unit: what GCC writes when
    /// it links (-flto) describes only instances of what the compiled units describe.
    var saysTypes = false
    /// It has a frame base, as functions have that are fully described.
    var hasFrame = false
    /// The tag of a plain child with layout `simple`; no tag for all others.
    var simpleTag = Tag(rawValue: 0)
    var simple = SimpleLayout()
    /// Index of the layout as a plain child; `.max` for all others.
    var plainLayout = UInt32.max
    // Indexes into the compiler's steps and loads.
    let skipStart: UInt32
    let skipEnd: UInt32
    let loadEnd: UInt32
    /// The attributes up to the first one of varying length: their size, their slots, how to read
    /// them, and the next step.
    var fixedSize: UInt16 = 0
    var fixedSlots: UInt32 = 0
    var fixedStart: UInt32 = 0
    var fixedEnd: UInt32 = 0
    var restStart: UInt32
    /// Index of the declared attributes, for readers that want all of them.
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
}

/// An attribute as declared: for reading entries whole.
package struct AttributeSpec: BitwiseCopyable, Sendable {
    package let attribute: Attribute
    package let form: Form
    package let implicitConstant: Int64
}

/// The abbreviations of a unit.
@safe
package final class AbbreviationTable {
    /// Keeps the declarations verbatim.
    let compiler: AbbreviationCompiler
    /// Entries with codes 1, 2, 3 ..., as compilers number them.
    let dense: Arena<Abbreviation>
    private let sparse: [UInt64: Abbreviation]
    // SAFETY: the targets belong to `compiler`, which neither changes nor moves what it has handed
    // out.
    let steps: UnsafePointer<AbbreviationStep>
    let fixedLoads: UnsafePointer<FixedLoad>
    let plainLayouts: UnsafePointer<PlainLayout>
    /// Some entry may refer to another unit or file.
    package let refersOutside: Bool
    /// Some entry may describe a type or a prototype. Units that GCC compiled with -g1 have none.
    package let saysTypes: Bool
    /// Some function has a frame base. LLVM leaves it out with -g1.
    package let hasFrames: Bool

    @unsafe
    init(
        _ draft: consuming AbbreviationDraft, _ compiler: AbbreviationCompiler,
        steps: UnsafePointer<AbbreviationStep>, fixedLoads: UnsafePointer<FixedLoad>,
        plainLayouts: UnsafePointer<PlainLayout>
    ) {
        self.compiler = compiler
        unsafe self.steps = steps
        unsafe self.fixedLoads = fixedLoads
        unsafe self.plainLayouts = plainLayouts
        sparse = draft.sparse
        refersOutside = draft.refersOutside
        saysTypes = draft.saysTypes
        hasFrames = draft.hasFrames
        dense = draft.dense
    }

    /// The abbreviation with this code; nil if there is none.
    func find(_ code: UInt64) -> Abbreviation? {
        // Code 0 is handled by the caller.
        code <= UInt64(dense.count) ? dense[Int(code) - 1] : sparse[code]
    }
}

/// A table under construction.
struct AbbreviationDraft: ~Copyable {
    var dense = Arena<Abbreviation>(capacity: 512)
    var sparse: [UInt64: Abbreviation] = [:]
    var refersOutside = false
    var saysTypes = false
    var hasFrames = false

    /// Adds an entry; false if its code was already declared.
    mutating func insert(_ code: UInt64, _ entry: Abbreviation) -> Bool {
        if entry.refersOutside { refersOutside = true }
        if entry.saysTypes { saysTypes = true }
        if entry.hasFrame { hasFrames = true }
        if code == UInt64(dense.count) + 1 {
            dense.append(entry)
            return true
        }
        return code > UInt64(dense.count) && sparse.updateValue(entry, forKey: code) == nil
    }
}
