// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The nineteen kinds of BTF (Documentation/bpf/btf.rst; include/uapi/linux/btf.h).
@usableFromInline @frozen
package enum Kind: UInt8, CaseIterable, Sendable {
    case int = 1
    case ptr = 2
    case array = 3
    case `struct` = 4
    case union = 5
    case `enum` = 6
    case fwd = 7
    case typedef = 8
    case volatile = 9
    case const = 10
    case restrict = 11
    case `func` = 12
    case funcProto = 13
    case `var` = 14
    case datasec = 15
    case float = 16
    case declTag = 17
    case typeTag = 18
    case enum64 = 19

    /// As `init(rawValue:)`, which is a call: this becomes a comparison and a subtraction.
    @inlinable @inline(__always)
    package init?(known number: UInt8) {
        switch number {
        case 1: self = .int
        case 2: self = .ptr
        case 3: self = .array
        case 4: self = .struct
        case 5: self = .union
        case 6: self = .enum
        case 7: self = .fwd
        case 8: self = .typedef
        case 9: self = .volatile
        case 10: self = .const
        case 11: self = .restrict
        case 12: self = .func
        case 13: self = .funcProto
        case 14: self = .var
        case 15: self = .datasec
        case 16: self = .float
        case 17: self = .declTag
        case 18: self = .typeTag
        case 19: self = .enum64
        default: return nil
        }
    }

    /// The kernel's word for the kind, as `bpftool btf dump` prints it.
    package var word: String {
        switch self {
        case .int: "INT"
        case .ptr: "PTR"
        case .array: "ARRAY"
        case .struct: "STRUCT"
        case .union: "UNION"
        case .enum: "ENUM"
        case .fwd: "FWD"
        case .typedef: "TYPEDEF"
        case .volatile: "VOLATILE"
        case .const: "CONST"
        case .restrict: "RESTRICT"
        case .func: "FUNC"
        case .funcProto: "FUNC_PROTO"
        case .var: "VAR"
        case .datasec: "DATASEC"
        case .float: "FLOAT"
        case .declTag: "DECL_TAG"
        case .typeTag: "TYPE_TAG"
        case .enum64: "ENUM64"
        }
    }

    @inlinable @inline(__always) package var isComposite: Bool { self == .struct || self == .union }
    @inlinable @inline(__always) package var isAnyEnum: Bool { self == .enum || self == .enum64 }

    /// Kinds that only wrap the type they point at, and do not change its size.
    package var isModifier: Bool {
        switch self {
        case .typedef, .volatile, .const, .restrict, .typeTag: true
        default: false
        }
    }

    /// What the record looks like after its first three words.
    package var shape: KindShape { KindShape.table[Int(rawValue)] }
}

/// Where a kind keeps its words. Walking, remapping, byte swapping and checking all go by this
/// table; nothing else in the module knows record sizes.
///
/// A record is `name_off, info, size/type`, then `fixed` words, then `vlen` elements of `element`
/// words each. Every field of BTF is one 32-bit word, so swapping byte order is swapping words.
package struct KindShape: Sendable {
    /// Words between the common three and the elements.
    package let fixed: Int
    /// Words per element.
    package let element: Int
    /// The third common word is a type id (else a size, or unused).
    package let refersToType: Bool
    /// Bit set over the fixed words: which hold a type id.
    package let fixedTypes: UInt8
    /// Bit set over an element's words: which hold a type id.
    package let elementTypes: UInt8
    /// An element's first word is a string offset.
    package let elementHasName: Bool

    init(
        fixed: Int = 0, element: Int = 0, refersToType: Bool = false, fixedTypes: UInt8 = 0,
        elementTypes: UInt8 = 0, elementHasName: Bool = false
    ) {
        self.fixed = fixed
        self.element = element
        self.refersToType = refersToType
        self.fixedTypes = fixedTypes
        self.elementTypes = elementTypes
        self.elementHasName = elementHasName
    }

    /// Indexed by the raw kind; entry 0 is void and never looked at.
    static let table: [KindShape] = [
        KindShape(),
        KindShape(fixed: 1),  // INT: encoding, offset, bits
        KindShape(refersToType: true),  // PTR
        KindShape(fixed: 3, fixedTypes: 0b011),  // ARRAY: element type, index type, count
        KindShape(element: 3, elementTypes: 0b010, elementHasName: true),  // STRUCT
        KindShape(element: 3, elementTypes: 0b010, elementHasName: true),  // UNION
        KindShape(element: 2, elementHasName: true),  // ENUM: name, value
        KindShape(),  // FWD
        KindShape(refersToType: true),  // TYPEDEF
        KindShape(refersToType: true),  // VOLATILE
        KindShape(refersToType: true),  // CONST
        KindShape(refersToType: true),  // RESTRICT
        KindShape(refersToType: true),  // FUNC; vlen is the linkage, see `elementCount`
        KindShape(element: 2, refersToType: true, elementTypes: 0b010, elementHasName: true),
        KindShape(fixed: 1, refersToType: true),  // VAR: linkage
        KindShape(element: 3, elementTypes: 0b001),  // DATASEC: var, offset, size
        KindShape(),  // FLOAT
        KindShape(fixed: 1, refersToType: true),  // DECL_TAG: component index
        KindShape(refersToType: true),  // TYPE_TAG
        KindShape(element: 3, elementHasName: true),  // ENUM64: name, low, high
    ]

    /// Words of a whole record with `vlen` elements.
    package func words(vlen: Int) -> Int { 3 + fixed + element * vlen }
}

/// The `info` word of a type: kind, number of elements, kind flag.
@usableFromInline @frozen
package struct TypeInfo: Equatable, Sendable {
    @usableFromInline package let rawValue: UInt32

    @inlinable @inline(__always) package init(rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable
    package init(_ kind: Kind, vlen: Int = 0, flag: Bool = false) {
        rawValue = UInt32(kind.rawValue) << 24 | UInt32(vlen) & 0xff_ffff | (flag ? 1 << 31 : 0)
    }

    /// Seven bits since 7.2 (five before; the two in between were always zero).
    @inlinable package var rawKind: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 24) & 0x7f }
    @inlinable @inline(__always)
    package var kind: Kind? { Kind(known: rawKind) }
    /// Number of elements, or the linkage of a FUNC. 24 bits since 7.2, 16 before.
    @inlinable package var vlen: Int { Int(rawValue & 0xff_ffff) }
    @inlinable package var flag: Bool { rawValue >> 31 != 0 }

    /// The most elements a kernel before 7.2 can be shown.
    @inlinable package static var maxVlenBefore72: Int { 0xffff }
}

/// A type's number. 0 is void; the base's types come first, then the file's own.
package struct TypeID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32
    package init(_ rawValue: UInt32) { self.rawValue = rawValue }
    package static var void: TypeID { TypeID(0) }
    package static func < (a: TypeID, b: TypeID) -> Bool { a.rawValue < b.rawValue }
    package var description: String { String(rawValue) }
}

/// Bits of an INT's fixed word.
package enum IntEncoding {
    package static let signed: UInt32 = 1
    package static let char: UInt32 = 2
    package static let bool: UInt32 = 4
}

/// Linkage of a FUNC (in vlen) or a VAR (in its fixed word).
package enum Linkage: UInt32, Sendable {
    case `static` = 0
    case global = 1
    case extern = 2
}
