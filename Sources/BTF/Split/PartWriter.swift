// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Writes some of a BTF's own records, with new ids and strings.
struct PartWriter {
    let btf: BTF
    /// New ids by position among the own types.
    let ids: [UInt32]
    private var words: [UInt32] = []
    private(set) var names: [ArraySlice<UInt8>] = []
    private var numbers: [ArraySlice<UInt8>: Int] = [:]
    private var places: [(position: Int, name: Int)] = []

    init(_ btf: BTF, _ ids: [UInt32]) {
        self.btf = btf
        self.ids = ids
    }

    /// - Parameter known: offsets of names that are in strings before those of this part.
    mutating func add(_ index: Int, knowing known: [ArraySlice<UInt8>: UInt32]) {
        let start = Int(btf.starts[index])
        let shift = words.count - start
        words += btf.words[start..<start + TypeInfo(rawValue: btf.words[start + 1]).recordWords]
        forEachReference(btf.words, start) { position in
            let id = btf.words[position]
            if id >= btf.firstID { words[position + shift] = ids[Int(id - btf.firstID)] }
        }
        forEachName(btf.words, start) { position in
            let offset = btf.words[position]
            guard Int(offset) >= btf.stringBase else { return }
            let name = btf.stringBytes(at: offset)
            if name.isEmpty {
                words[position + shift] = 0
            } else if let offset = known[name] {
                words[position + shift] = offset
            } else {
                let number = numbers[name] ?? names.count
                if number == names.count {
                    numbers[name] = number
                    names.append(name)
                }
                places.append((position + shift, number))
            }
        }
        sortSites(at: start + shift, in: &words)
    }

    /// - Parameter base: where `strings` begins, after those of the base.
    func bytes(_ strings: StringSection, at base: Int, withLayout: Bool) -> [UInt8] {
        var words = words
        for place in places {
            words[place.position] = UInt32(
                truncatingIfNeeded: base + strings.offsets[place.name])
        }
        return BTF.serialized(
            words: words, strings: strings.bytes,
            layout: withLayout ? KindLayout.describing(words) : [], bigEndian: btf.bigEndian)
    }
}
