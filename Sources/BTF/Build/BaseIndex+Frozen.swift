// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
internal import Tables

// An index as bytes that are used in place, in a file mapped next to the base's BTF:
//
//     head      10 numbers of 64 bits: stamp, flags, the element count of each array, what the base
//               says about its kernel, and the element count of `named`
//     links     64 bits each   FrozenChains
//     heads     32 bits each   FrozenChains
//     starts    32 bits each   BaseIndex.starts
//     slots     32 bits each   NameTable
//     words     32 bits each   only if they differ from those of the BTF
//     named     64 bits each   NamedTypes
//
// Everything is in host byte order and aligned to 8 bytes. The cache ensures that the bytes are
// unchanged and belong to that BTF; here we only check that all arrays lie inside the image and are
// consistent with each other.
extension BaseIndex {
    private static let headCount = 10
    private static let nestsArraysFlag: UInt64 = 1
    private static let resolvesForwardsFlag: UInt64 = 2
    private static let evidenceShift: UInt64 = 8

    /// An index is accepted only if it begins with this stamp: the version of this format, combined
    /// with hashes of samples so that no change of a hash function can go unnoticed. In another
    /// byte order the number differs.
    package static let stamp: UInt64 = {
        var mixer = Mixer(4)
        for kind in Kind.allCases {
            var words: [UInt32] = [1, TypeInfo(kind, vlen: 1, flag: true).rawValue]
            words += 2..<UInt32(kind.shape.words(vlen: 1))
            mixer.add(recordHash(words) ?? 0)
            words[0] = 0
            mixer.add(recordHash(words) ?? 0)
        }
        mixer.add(withBytes(Array("a name of some length".utf8)) { hashBytes($0) })
        mixer.add(UInt64(KernelAbility.allCases.count))
        for ability in KernelAbility.allCases {
            mixer.add(withBytes(Array(ability.rawValue.utf8)) { hashBytes($0) })
        }
        return mixer.value
    }()

    /// The index of a base whose BTF is `raw`, as bytes.
    package func frozen(over raw: ByteView) -> ByteView {
        let isLent = hasOriginalWords && BaseIndex.words(in: raw) != nil
        let head: [UInt64] = [
            BaseIndex.stamp,
            (nestsArrays ? BaseIndex.nestsArraysFlag : 0)
                | (resolvesForwards ? BaseIndex.resolvesForwardsFlag : 0)
                | evidence.flags << BaseIndex.evidenceShift,
            UInt64(types.links.count), UInt64(types.heads.count), UInt64(starts.count),
            UInt64(strings.slots.count), UInt64(isLent ? 0 : words.count),
            UInt64(strings.strings.count), evidence.abilities, UInt64(named.entries.count),
        ]
        let arrays = [
            Frozen(head).bytes, types.links.bytes, types.heads.bytes, starts.bytes,
            strings.slots.bytes, isLent ? .empty : words.bytes, named.entries.bytes,
        ]
        return ByteView(joining: arrays.flatMap { [$0, ByteView.padding(after: $0.count)] })
    }

    /// The index that `frozen` returned for the base whose BTF is `raw`; nil for other bytes. Both
    /// views must be aligned to 8 bytes.
    package convenience init?(frozen image: ByteView, over raw: ByteView) {
        guard let head = Frozen<UInt64>(image, at: 0, count: BaseIndex.headCount),
            head[0] == BaseIndex.stamp
        else { return nil }
        var at = BaseIndex.headCount * 8
        func array<Element>(_ place: Int) -> Frozen<Element>? {
            guard let count = Int(exactly: head[place]),
                let array = Frozen<Element>(image, at: at, count: count)
            else { return nil }
            at += array.bytes.count + ByteView.padding(after: array.bytes.count).count
            return array
        }
        guard let links: Frozen<UInt64> = array(2), let heads: Frozen<UInt32> = array(3),
            let starts: Frozen<UInt32> = array(4), let slots: Frozen<UInt32> = array(5),
            let ownWords: Frozen<UInt32> = array(6), let named: Frozen<UInt64> = array(9),
            at == image.count,
            starts.count > 0, links.count == starts.count,
            let header = try? Header.parse(raw),
            let section = Frozen<UInt8>(
                raw, at: header.length + header.stringOffset, count: header.stringLength),
            UInt64(section.count) == head[7],
            let words = ownWords.count > 0 ? ownWords : BaseIndex.words(in: raw),
            let types = FrozenChains(heads: heads, links: links),
            let strings = NameTable(strings: section, slots: slots)
        else { return nil }
        self.init(
            words: words, starts: starts, strings: strings, types: types,
            named: NamedTypes(entries: named),
            hasOriginalWords: ownWords.count == 0,
            nestsArrays: head[1] & BaseIndex.nestsArraysFlag != 0,
            resolvesForwards: head[1] & BaseIndex.resolvesForwardsFlag != 0,
            evidence: TargetEvidence(
                flags: head[1] >> BaseIndex.evidenceShift, abilities: head[8]))
    }

    /// The type section of `raw`, in place; nil if it is in the other byte order or misaligned.
    private static func words(in raw: ByteView) -> Frozen<UInt32>? {
        guard let header = try? Header.parse(raw),
            header.bigEndian == (UInt32(bigEndian: 1) == 1),
            (header.length + header.typeOffset) % 4 == 0
        else { return nil }
        return Frozen(raw, at: header.length + header.typeOffset, count: header.typeLength / 4)
    }
}

extension TargetEvidence {
    /// What is not an ability, as bits.
    fileprivate var flags: UInt64 {
        let all = [
            enums.hasWhole, enums.hasCut, enums.hasHighValues, isWholeKernel, listsKinds,
            renumbersStandalone,
        ]
        return all.reversed().reduce(0) { $0 << 1 | ($1 ? 1 : 0) }
    }

    /// `shown` in the lower half, `denied` in the upper; a bit each, in order of cases.
    fileprivate var abilities: UInt64 {
        KernelAbility.allCases.enumerated().reduce(0) { bits, ability in
            bits | (shown.contains(ability.element) ? 1 << UInt64(ability.offset) : 0)
                | (denied.contains(ability.element) ? 1 << UInt64(ability.offset + 32) : 0)
        }
    }

    fileprivate init(flags: UInt64, abilities: UInt64) {
        func has(_ bit: UInt64) -> Bool { flags >> bit & 1 != 0 }
        enums.hasWhole = has(0)
        enums.hasCut = has(1)
        enums.hasHighValues = has(2)
        isWholeKernel = has(3)
        listsKinds = has(4)
        renumbersStandalone = has(5)
        for (bit, ability) in KernelAbility.allCases.enumerated() {
            if abilities >> UInt64(bit) & 1 != 0 { shown.insert(ability) }
            if abilities >> UInt64(bit + 32) & 1 != 0 { denied.insert(ability) }
        }
    }
}
