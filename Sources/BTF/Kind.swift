// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The kinds of BTF (Documentation/bpf/btf.rst; include/uapi/linux/btf.h).
@usableFromInline @frozen
package enum Kind: UInt8, CaseIterable, Sendable {
    /// A kind that we do not know: its records are stepped over, by the layout section. Only in BTF
    /// that was parsed for reading; not one of `allCases`, and no number stands for it.
    case unknown = 0
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
    /// Where a parameter of an inlined function is: a register, an address, a constant.
    case locParam = 20
    /// Where all parameters of one inlined call are.
    case locProto = 21
    /// The inlined calls in one section of code.
    case locsec = 22

    /// The known kinds, in order of their numbers.
    @usableFromInline
    package static let allCases: [Kind] = (1...Kind.locsec.rawValue).compactMap {
        Kind(rawValue: $0)
    }

    /// The kind with this number; nil for a number without a row. `init(rawValue:)` would cost a
    /// call.
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
        case 20: self = .locParam
        case 21: self = .locProto
        case 22: self = .locsec
        default: return nil
        }
    }
}
