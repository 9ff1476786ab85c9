// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes

/// Whether every kernel accepts this as a name: letters, digits, `_` and `.`, no leading digit, at
/// most 511 bytes.
///
/// - Parameter target: a kernel that must also accept it.
func isIdentifier(_ name: ArraySlice<UInt8>, for target: TargetRules?) -> Bool {
    guard let first = name.first, name.count < 512, !isDigit(first) else { return false }
    let isOne =
        unsafe name.span.bytes.isPlainWord
        || name.allSatisfy { byte in
            isDigit(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
    return isOne && target?.takes(identifier: name) ?? true
}

private func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}
