// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF

/// A variable that has one value, which C code can set by name.
package enum CScalar: Equatable, Sendable {
    case bool
    /// 1, 2, 4 or 8 bytes.
    case number(bytes: Int, isSigned: Bool)
    /// An array of this many characters, with the NUL among them.
    case text(bytes: Int)

    /// nil for a type of another kind.
    init?(_ type: TypeID, in btf: BTF) {
        guard let record = btf.withoutModifiers(type) else { return nil }
        switch record.kind {
        case .int:
            let data = record.fixed(0)
            guard [1, 2, 4, 8].contains(record.size), data & 0xff == record.size * 8,
                data >> 16 & 0xff == 0
            else { return nil }
            if data >> 24 & 4 != 0 {
                guard record.size == 1 else { return nil }
                self = .bool
            } else {
                self = .number(bytes: Int(record.size), isSigned: data >> 24 & 1 != 0)
            }
        case .enum, .enum64:
            guard [1, 2, 4, 8].contains(record.size) else { return nil }
            self = .number(bytes: Int(record.size), isSigned: record.flag)
        case .array:
            guard
                case .number(bytes: 1, _) = CScalar(TypeID(record.fixed(0)), in: btf)
            else { return nil }
            self = .text(bytes: Int(record.fixed(2)))
        default: return nil
        }
    }

    /// What it can hold; nil for text.
    package var range: ClosedRange<Int128>? {
        switch self {
        case .bool: 0...1
        case .number(let bytes, isSigned: true):
            -(Int128(1) << (bytes * 8 - 1))...(Int128(1) << (bytes * 8 - 1)) - 1
        case .number(let bytes, isSigned: false): 0...(Int128(1) << (bytes * 8)) - 1
        case .text: nil
        }
    }
}
