// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

extension TypeStore.Compact {
    /// The BTF's bytes: the header, types, the layout section if any, then strings.
    ///
    /// - Parameters:
    ///   - bigEndian: byte order of the target.
    ///   - withLayout: describe the kinds, see `KindLayout`. Kernels before 7.1 refuse that.
    package func serialized(bigEndian: Bool, withLayout: Bool = false) -> [UInt8] {
        BTF.serialized(
            words: words, strings: strings,
            layout: withLayout ? KindLayout.describing(words) : [], bigEndian: bigEndian)
    }
}

extension BTF {
    static func serialized(
        words: [UInt32], strings: [UInt8], layout: [KindLayout] = [], bigEndian: Bool
    ) -> [UInt8] {
        let layoutLength = layout.count * KindLayout.byteCount
        var header = Header(
            length: layout.isEmpty ? Header.shortLength : Header.longLength, typeOffset: 0,
            typeLength: words.count * 4, stringOffset: words.count * 4 + layoutLength,
            stringLength: strings.count, bigEndian: bigEndian)
        if !layout.isEmpty {
            header.layoutOffset = words.count * 4
            header.layoutLength = layoutLength
        }
        var writer = ByteWriter(bigEndian: bigEndian)
        for kind in layout { kind.write(to: &writer) }
        var bytes = header.serialized()
        bytes.reserveCapacity(bytes.count + words.count * 4 + layoutLength + strings.count)
        append(words, to: &bytes, bigEndian: bigEndian)
        bytes.append(contentsOf: writer.bytes)
        bytes.append(contentsOf: strings)
        return bytes
    }
}
