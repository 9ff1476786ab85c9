// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF

/// Whether every kernel accepts this as a name: letters, digits, `_` and `.`, no leading digit, at
/// most 511 bytes.
///
/// - Parameter target: a kernel that must also accept it.
func isIdentifier(_ name: ArraySlice<UInt8>, for target: TargetRules?) -> Bool {
    guard let first = name.first, name.count < 512, !isDigit(first) else { return false }
    return name.allSatisfy(isNameByte) && target?.takes(identifier: name) ?? true
}

/// A letter, a digit, `_` or `.`, by sets of 64 bytes each.
private func isNameByte(_ byte: UInt8) -> Bool {
    let set: UInt64 = byte < 64 ? 0x03ff_4000_0000_0000 : 0x07ff_fffe_87ff_fffe
    return byte < 128 && set &>> UInt64(byte) & 1 != 0
}

private func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}
