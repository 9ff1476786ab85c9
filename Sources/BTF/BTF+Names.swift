// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

extension BTF {
    /// The bytes of a string without its NUL; nil if it has more than `limit` bytes, and for an
    /// invalid offset.
    ///
    /// For code that examines the names of all types: a hostile file may have a million of them,
    /// each with the same name of a million bytes.
    package func stringBytes(at offset: UInt32, atMost limit: Int) -> ArraySlice<UInt8>? {
        var owner = self
        while Int(offset) < owner.stringBase {
            guard let base = owner.base else { return nil }
            owner = base
        }
        let start = Int(offset) - owner.stringBase
        var end = start
        while end < owner.strings.count, end - start <= limit {
            if owner.strings[end] == 0 { return owner.strings[start..<end] }
            end += 1
        }
        return nil
    }

    /// Whether the string at `offset` is `text`.
    func hasString(_ text: String, at offset: UInt32) -> Bool {
        let bytes = text.systemBytes
        return stringBytes(at: offset, atMost: bytes.count)?.elementsEqual(bytes) ?? false
    }
}
