// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes

/// What deduplication makes of all own types of `inputs`, each a unit of its own or all in one.
///
/// - Parameter hashMask: bits of hashes that count; 0 makes all types collide.
package func deduplicated(
    _ inputs: [BTF], base: BTF?, inOneUnit: Bool = false, hashMask: UInt64 = .max
) throws -> BTF {
    let index = base.map { BaseIndex($0, hashMask: hashMask) }
    let names = NamePool(base: index)
    var types = TypeWriter(names: names)
    var store = TypeStore(base: index, names: names, hashMask: hashMask)
    for (number, input) in inputs.enumerated() {
        copy(input, to: &types)
        guard !inOneUnit || number == inputs.count - 1 else { continue }
        types.seal()
        try store.absorb(types)
        types.removeAll()
    }
    let bytes = store.compacted().serialized(bigEndian: false)
    return try BTF.parse(ByteView(bytes), base: base)
}

private func copy(_ input: BTF, to types: inout TypeWriter) {
    let shift = types.nextID - input.firstID
    for record in input.ownRecords {
        var words = Array(record.words)
        let shape = record.kind.shape
        func move(_ at: Int) { if words[at] != 0 { words[at] += shift } }
        if shape.refersToType { move(2) }
        for fixed in 0..<shape.fixed where shape.fixedTypes & (1 << fixed) != 0 {
            move(3 + fixed)
        }
        for element in 0..<record.count {
            let at = 3 + shape.fixed + element * shape.element
            for word in 0..<shape.element where shape.elementTypes & (1 << word) != 0 {
                move(at + word)
            }
            if shape.elementHasName {
                words[at] = types.names.intern(input.string(at: words[at]))
            }
        }
        types.begin(
            name: types.names.intern(record.name), info: record.info, third: words[2])
        for word in words[3...] { types.append(word) }
    }
}
