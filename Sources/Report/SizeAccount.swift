// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

/// What each byte of one BTF is for. All parts together are the size of the BTF.
package struct SizeAccount: Sendable {
    /// Types of one kind.
    package struct KindUse: Equatable, Sendable {
        /// The kernel's word, `UNKNOWN(23)` for a kind that we do not know.
        package let word: String
        package let use: SizeSum
    }

    /// Bytes of each own type, in id order.
    package let types: [ByteUse]
    package let kinds: [KindUse]
    package let common: CommonUse
    /// All of it.
    package let total: Int

    /// - Parameter size: bytes of the whole BTF, in which its header may leave gaps.
    package init(_ btf: BTF, size: Int) {
        let strings = StringOwners(btf)
        var types: [ByteUse] = []
        types.reserveCapacity(btf.starts.count)
        var kinds: [UInt8: KindUse] = [:]
        for (index, start) in btf.starts.enumerated() {
            let end = index + 1 < btf.starts.count ? Int(btf.starts[index + 1]) : btf.words.count
            let info = TypeInfo(rawValue: btf.words[Int(start) + 1])
            let words = end - Int(start)
            let elements = min(words, (info.kind?.shape.element ?? 0) * info.count)
            let use = ByteUse(
                heads: (words - elements) * 4, elements: elements * 4, strings: strings.bytes[index]
            )
            types.append(use)
            var sum = kinds[info.rawKind]?.use ?? SizeSum()
            sum += SizeSum(use)
            kinds[info.rawKind] = KindUse(word: info.kindWord, use: sum)
        }
        self.types = types
        self.kinds = kinds.sorted { $0.key < $1.key }.map(\.value)
        var common = CommonUse()
        common.sharedStrings = strings.shared
        common.unusedStrings = strings.unused
        common.header = btf.header.length
        common.layout = btf.header.layoutLength
        common.gaps =
            size - btf.header.length - btf.words.count * 4 - btf.strings.count
            - btf.header.layoutLength
        self.common = common
        total = size
    }
}
