// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject

extension LoaderTrace {
    /// Writes over what libbpf put into `.kconfig` although nobody gave it: in the map, and in the loader's data,
    /// from which the map gets it.
    /// - Returns: false when the loader is not of the form that is known.
    mutating func correct(_ corrections: [HostFacts.Correction]) -> Bool {
        guard !corrections.isEmpty else { return true }
        guard
            let index = maps.firstIndex(where: {
                $0.isInternal && $0.name.hasSuffix(".kconfig")
            }),
            var value = maps[index].initialValue,
            let start = placeOfValue(ofMap: index, size: value.count),
            data[start..<start + value.count].elementsEqual(value)
        else { return false }
        for correction in corrections {
            let end = correction.offset + correction.bytes.count
            guard correction.offset >= 0, end <= value.count else { return false }
            value.replaceSubrange(correction.offset..<end, with: correction.bytes)
        }
        data.replaceSubrange(start..<start + value.count, with: value)
        maps[index].initialValue = value
        return true
    }

    /// Where the data have the value that a map starts with. The loader asks its context for another one first:
    ///
    ///     r3 = *(u64 *)(r6 + initial_value)
    ///     if r3 == 0 goto ...
    ///     r1 = place in the data, 16 bytes
    ///     r2 = size of the value
    private func placeOfValue(ofMap index: Int, size: Int) -> Int? {
        // struct bpf_loader_ctx, then a struct bpf_map_desc for each map.
        let field = 24 + 16 * index + 8
        let ask: [UInt8] = [0x79, 0x63, UInt8(field & 255), UInt8(field >> 8), 0, 0, 0, 0]
        var found: [Int] = []
        for at in stride(from: 0, to: instructions.count - 39, by: 8) {
            guard instructions[at..<at + 8].elementsEqual(ask),
                instructions[at + 8..<at + 10].elementsEqual([0x15, 0x03]),
                // BPF_PSEUDO_MAP_IDX_VALUE
                instructions[at + 16..<at + 18].elementsEqual([0x18, 0x61]),
                instructions[at + 32..<at + 34].elementsEqual([0xb7, 0x02]),
                word(at + 36) == size
            else { continue }
            found.append(word(at + 28))
        }
        guard found.count == 1, found[0] <= data.count - size else { return nil }
        return found[0]
    }

    /// Of this machine's byte order, as the loader is: the little-endian form is the only one known above.
    private func word(_ at: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(instructions[at + $1]) << (8 * $1) }
    }
}
