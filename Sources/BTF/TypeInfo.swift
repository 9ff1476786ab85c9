// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

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
    /// The kernel's word for the kind; `UNKNOWN(23)` for one that we do not know.
    package var kindWord: String { kind?.word ?? "UNKNOWN(\(rawKind))" }
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
