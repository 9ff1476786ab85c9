// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What a CO-RE relocation asks of the running kernel's types: enum bpf_core_relo_kind
/// (include/uapi/linux/bpf.h).
package enum RelocationKind: UInt32, Sendable {
    case byteOffset = 0
    case byteSize, fieldExists, isSigned, leftShift, rightShift
    case localType, targetType, typeExists, typeSize, enumeratorExists, enumeratorValue
    case typeMatches

    /// What the access string leads to.
    package enum Subject: Sendable { case field, type, enumerator }

    package var subject: Subject {
        switch self {
        case .byteOffset, .byteSize, .fieldExists, .isSigned, .leftShift, .rightShift: .field
        case .localType, .targetType, .typeExists, .typeSize, .typeMatches: .type
        case .enumeratorExists, .enumeratorValue: .enumerator
        }
    }

    /// It asks whether something exists, and so is prepared for the case that it does not.
    package var isQuestion: Bool {
        switch self {
        case .fieldExists, .typeExists, .enumeratorExists, .typeMatches: true
        case .byteOffset, .byteSize, .isSigned, .leftShift, .rightShift, .localType, .targetType,
            .typeSize, .enumeratorValue:
            false
        }
    }
}

extension ExtendedInfo.FieldRelocation {
    /// nil for a number that no reader accepts.
    package var question: RelocationKind? { RelocationKind(rawValue: kind) }
}

/// A name without its flavor: `task_struct` for `task_struct___old`. A flavor is the last part
/// after three underscores that have other characters on both sides; programs use it to describe a
/// type of another kernel.
package func essentialName(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let underscore = UInt8(ascii: "_")
    guard name.count > 4 else { return name }
    for index in stride(from: name.endIndex - 5, through: name.startIndex, by: -1)
    where name[index] != underscore && name[index + 1] == underscore
        && name[index + 2] == underscore && name[index + 3] == underscore
        && name[index + 4] != underscore
    {
        return name[...index]
    }
    return name
}
