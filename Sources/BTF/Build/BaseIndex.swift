// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Everything that encoding against a base asks about that base, computed once and shared by all
/// modules of a run: its records in one array, its strings and its types by hash.
package final class BaseIndex: Sendable {
    package let btf: BTF
    /// All records of the base chain, back to back.
    let words: [UInt32]
    /// Word index of each record; entry 0 stands for void and is never read.
    let starts: [UInt32]
    let strings: ByteInterner
    let types: ChainTable
    /// Some ARRAY has an ARRAY as its element. Bases made before pahole 1.32 have none: there,
    /// multi-dimensional arrays were flattened, and a module must do the same or it repeats types.
    package let nestsArrays: Bool
    /// No FWD is left whose name one single STRUCT or UNION of the base carries. Deduplication
    /// that leaves such ones behind (libbpf before 1.2) left them in the modules as well.
    package let resolvesForwards: Bool
    /// Type id of the integer that arrays are indexed with here; nil when the base has no array.
    package let arrayIndexType: TypeID?

    package init(_ btf: BTF) {
        self.btf = btf
        var words: [UInt32] = []
        var starts: [UInt32] = [0]
        var section: [UInt8] = []
        var chain: [BTF] = []
        var link: BTF? = btf
        while let current = link {
            chain.append(current)
            link = current.base
        }
        if chain.count == 1 {
            words = btf.words
            starts.append(contentsOf: btf.starts)
            section = btf.strings
        } else {
            for current in chain.reversed() {
                let shift = UInt32(words.count)
                words.append(contentsOf: current.words)
                starts.append(contentsOf: current.starts.lazy.map { $0 + shift })
                section.append(contentsOf: current.strings)
            }
        }
        strings = ByteInterner(indexing: section)
        var table = ChainTable(entries: starts.count)
        var nested = false
        var indexType: TypeID?
        for id in 1..<max(starts.count, 1) {
            let start = Int(starts[id])
            let info = TypeInfo(rawValue: words[start + 1])
            if info.kind == .array {
                if indexType == nil { indexType = TypeID(words[start + 4]) }
                let element = Int(words[start + 3])
                if element > 0, element < starts.count,
                    TypeInfo(rawValue: words[Int(starts[element]) + 1]).kind == .array
                {
                    nested = true
                }
            }
            if let hash = recordHash(words, start) { table.add(id, hash: hash) }
        }
        types = table
        nestsArrays = nested
        arrayIndexType = indexType
        resolvesForwards = !hasResolvableForward(words, starts)
        self.words = words
        self.starts = starts
    }
}

/// True when some FWD has the name of exactly one STRUCT or UNION, of its own sort.
private func hasResolvableForward(_ words: [UInt32], _ starts: [UInt32]) -> Bool {
    var unique = UniqueComposites()
    var forwards: [Int] = []
    for id in 1..<max(starts.count, 1) {
        let start = Int(starts[id])
        switch TypeInfo(rawValue: words[start + 1]).kind {
        case .struct, .union: unique.add(name: words[start], id: UInt32(id))
        case .fwd: forwards.append(start)
        default: break
        }
    }
    return forwards.contains { start in
        guard let target = unique.find(words[start]) else { return false }
        let isUnion = TypeInfo(rawValue: words[start + 1]).flag
        return TypeInfo(rawValue: words[Int(starts[Int(target)]) + 1]).kind
            == (isUnion ? .union : .struct)
    }
}
