// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

public import Bytes

/// The attributes that decoding keeps. Each has its own place in a `DIE`; all others are skipped.
@usableFromInline
package enum Slot: UInt8, CaseIterable, Sendable {
    case name, type, byteSize, bitSize, bitOffset, dataBitOffset, dataMemberLocation
    case encoding, upperBound, lowerBound, count, constValue, declaration, external
    case abstractOrigin, specification, sibling, location, inline, language
    case strOffsetsBase, loclistsBase, lowPC, signature, annotation, artificial, importUnit,
        addrBase
    case ranges, callingConvention, producer, frameBase

    init?(_ attribute: Attribute) {
        switch attribute {
        case .name: self = .name
        case .type: self = .type
        case .byteSize: self = .byteSize
        case .bitSize: self = .bitSize
        case .bitOffset: self = .bitOffset
        case .dataBitOffset: self = .dataBitOffset
        case .dataMemberLocation: self = .dataMemberLocation
        case .encoding: self = .encoding
        case .upperBound: self = .upperBound
        case .lowerBound: self = .lowerBound
        case .count: self = .count
        case .constValue: self = .constValue
        case .declaration: self = .declaration
        case .external: self = .external
        case .abstractOrigin: self = .abstractOrigin
        case .specification: self = .specification
        case .sibling: self = .sibling
        case .location: self = .location
        case .inline: self = .inline
        case .language: self = .language
        case .strOffsetsBase: self = .strOffsetsBase
        case .loclistsBase: self = .loclistsBase
        case .lowPc: self = .lowPC
        case .signature: self = .signature
        case .gnuAnnotation: self = .annotation
        case .artificial: self = .artificial
        case .import: self = .importUnit
        case .addrBase: self = .addrBase
        case .ranges: self = .ranges
        case .callingConvention: self = .callingConvention
        case .producer: self = .producer
        case .frameBase: self = .frameBase
        default: return nil
        }
    }
}

/// One debugging information entry, decoded into slots. Reused from entry to entry: only slots
/// whose bit is in `present` are meaningful.
@usableFromInline @frozen
package struct DIE: ~Copyable {
    @usableFromInline let inPlace: InPlace
    /// Byte offset in the section.
    @usableFromInline package var offset = 0
    @usableFromInline package var tag = Tag(rawValue: 0)
    @usableFromInline package var hasChildren = false
    /// 0 for the unit's own entry.
    @usableFromInline package var depth = 0
    @usableFromInline var present: UInt32 = 0
    // On the heap, allocated once: reading one element of an inline array copies all of it (Swift
    // 6.3), which took 10 % of sctp.ko's time.
    @usableFromInline var values: Arena<UInt64>
    @usableFromInline var forms: Arena<UInt16>

    package init() {
        inPlace = InPlace()
        values = Arena(repeating: 0, count: 32)
        forms = Arena(repeating: 0, count: 32)
    }

    @inlinable @inline(__always) package func has(_ slot: Slot) -> Bool {
        present & (1 << slot.rawValue) != 0
    }

    /// The raw value: a constant, an offset in the string section of its form, an absolute offset
    /// for references inside the section, or `BlockRange` bits for blocks. 0 if absent.
    @inlinable @inline(__always) package func value(_ slot: Slot) -> UInt64 {
        has(slot) ? values[Int(slot.rawValue)] : 0
    }

    @inlinable @inline(__always) package func form(_ slot: Slot) -> Form {
        Form(rawValue: has(slot) ? forms[Int(slot.rawValue)] : 0)
    }

    @inlinable @inline(__always) package func flag(_ slot: Slot) -> Bool { value(slot) != 0 }

    @inline(__always)
    mutating func set(_ slot: UInt8, _ form: UInt16, _ value: UInt64) {
        present |= 1 << UInt32(slot)
        values[Int(slot)] = value
        forms[Int(slot)] = form
    }
}

/// The location of a block or expression in its section.
package struct BlockRange: Equatable {
    package let offset: Int
    package let length: Int

    package init(bits: UInt64) {
        offset = Int(bits & 0xff_ffff_ffff)
        length = Int(bits >> 40)
    }

    /// nil if offset or length exceeds its limit (1 TiB, 16 MiB).
    static func bits(offset: Int, length: Int) -> UInt64? {
        guard offset < 1 << 40, length < 1 << 24 else { return nil }
        return UInt64(length) << 40 | UInt64(offset)
    }
}
