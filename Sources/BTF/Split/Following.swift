// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

extension BTF {
    /// The ids of types below the own ones of `other`, this BTF's base, that this BTF leads to: it
    /// needs them where `other` goes.
    package func needed(below other: BTF) -> [UInt32] {
        var ids: Set<UInt32> = []
        for start in starts {
            forEachReference(words, Int(start)) {
                if words[$0] > 0, words[$0] < other.firstID { ids.insert(words[$0]) }
            }
        }
        return ids.sorted()
    }

    /// This BTF on `moved`, which its base has become: such as a module's `.BTF.inline`, which
    /// continues the module's `.BTF`.
    ///
    /// The own types keep their order. The sites of a LOCSEC are sorted by function and offset, as
    /// the kernel's resolve_btfids leaves them.
    ///
    /// - Parameter ids: what each type of the base has become, by old id; 0 for what was removed.
    /// - Returns: the bytes of the BTF.
    /// - Throws: `BTFError` if a type refers to one that does not exist or was removed.
    package func following(_ ids: [UInt32], onto moved: BTF) throws(BTFError) -> [UInt8] {
        try checkReferences()
        var output = words
        var names: [ArraySlice<UInt8>] = []
        var numbers: [ArraySlice<UInt8>: Int] = [:]
        var places: [(position: Int, name: Int)] = []
        for start in starts.lazy.map({ Int($0) }) {
            var gone: UInt32?
            forEachReference(words, start) { position in
                let id = words[position]
                if id >= firstID {
                    output[position] = id - firstID + moved.typeCount
                } else if id > 0 {
                    output[position] = Int(id) < ids.count ? ids[Int(id)] : 0
                    if output[position] == 0 { gone = gone ?? id }
                }
            }
            if let gone {
                throw BTFError(
                    offset: header.length + header.typeOffset + start * 4,
                    "it refers to type \(gone), which is not in the new BTF")
            }
            forEachName(words, start) { position in
                let name = stringBytes(at: words[position])
                guard !name.isEmpty else {
                    output[position] = 0
                    return
                }
                let number = numbers[name] ?? names.count
                if number == names.count {
                    numbers[name] = number
                    names.append(name)
                }
                places.append((position, number))
            }
            sortSites(at: start, in: &output)
        }
        let section = StringSection(names, leadingEmpty: false)
        let base = moved.stringBase + moved.strings.count
        for place in places {
            output[place.position] = UInt32(
                truncatingIfNeeded: base + section.offsets[place.name])
        }
        try checkLimits(
            typeCount: Int(moved.typeCount) + starts.count,
            stringLength: base + section.bytes.count)
        return BTF.serialized(words: output, strings: section.bytes, bigEndian: bigEndian)
    }

    /// It has types of a kind that kernels accept only with this ability.
    package func hasKinds(of ability: KernelAbility) -> Bool {
        starts.contains {
            TypeInfo(rawValue: words[Int($0) + 1]).kind?.row.needs == ability
        }
    }
}
