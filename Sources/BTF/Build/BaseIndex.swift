// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Tables

/// Everything that encoding against a base needs to know about that base, computed once and shared
/// by all modules of a run: its records in one array, and its strings and types by hash. It
/// consists of immutable arrays, so that a cache can lend them (BaseIndex+Frozen.swift).
package final class BaseIndex: Sendable {
    /// One past the highest id of the base chain; counts void.
    package let typeCount: UInt32
    /// Length in bytes of the strings of the base chain: own ones are numbered from here.
    package let stringLength: UInt32
    /// All records of the base chain, back to back.
    let words: Frozen<UInt32>
    /// Word index of each record; entry 0 stands for void and is never read.
    let starts: Frozen<UInt32>
    let strings: NameTable
    let types: FrozenChains
    let named: NamedTypes
    /// The words are those of the base's own types, in host order.
    let hasOriginalWords: Bool
    /// Some ARRAY has an ARRAY as its element. Bases made before pahole 1.32 have none: there,
    /// multi-dimensional arrays were flattened, and a module must do the same or it repeats types.
    package let nestsArrays: Bool
    /// No FWD is left whose name one single STRUCT or UNION of the base carries. Deduplication
    /// that leaves such ones behind (libbpf before 1.2) left them in the modules as well.
    package let resolvesForwards: Bool
    /// What it says of its kernel, and of the form of its enums.
    package let evidence: TargetEvidence

    package convenience init(_ btf: BTF) {
        self.init(btf, strings: Strings(btf), types: Types(btf))
    }

    /// An index where hashes have few bits, or none; see `TypeStore.hashMask`.
    package convenience init(_ btf: BTF, hashMask: UInt64) {
        let index = BaseIndex(btf)
        let words = (0..<index.words.count).map { index.words[$0] }
        let starts = (0..<index.starts.count).map { index.starts[$0] }
        let types = FrozenChains(entries: starts.count) { id in
            id == 0 ? nil : recordHash(words, starts, id).map { $0 & hashMask }
        }
        self.init(
            words: index.words, starts: index.starts, strings: index.strings, types: types,
            named: index.named, hasOriginalWords: index.hasOriginalWords,
            nestsArrays: index.nestsArrays, resolvesForwards: index.resolvesForwards,
            evidence: index.evidence)
    }

    /// Puts together what two threads may have worked out.
    package init(_ btf: BTF, strings: Strings, types: Types) {
        var builder = strings.builder
        var types = types
        let isRenamed = types.namesInsideNames || builder.hasDuplicates
        if isRenamed {
            // One string may have several offsets here, but names are compared by offset.
            types = Types(
                words: types.words, starts: types.starts, types.evidence, renaming: &builder)
        }
        typeCount = UInt32(types.starts.count)
        stringLength = UInt32(strings.length)
        self.strings = builder.table
        words = Frozen(types.words)
        starts = Frozen(types.starts)
        self.types = types.table
        named = types.named
        hasOriginalWords = !isRenamed && btf.base == nil
        nestsArrays = types.nestsArrays
        resolvesForwards = types.resolvesForwards
        evidence = types.evidence
    }

    init(
        words: Frozen<UInt32>, starts: Frozen<UInt32>, strings: NameTable, types: FrozenChains,
        named: NamedTypes, hasOriginalWords: Bool, nestsArrays: Bool,
        resolvesForwards: Bool, evidence: TargetEvidence
    ) {
        typeCount = UInt32(starts.count)
        stringLength = UInt32(strings.strings.count)
        self.words = words
        self.starts = starts
        self.strings = strings
        self.types = types
        self.named = named
        self.hasOriginalWords = hasOriginalWords
        self.nestsArrays = nestsArrays
        self.resolvesForwards = resolvesForwards
        self.evidence = evidence
    }

    /// The strings of a base chain, by hash.
    package struct Strings: Sendable {
        let builder: NameTableBuilder
        let length: Int

        package init(_ btf: BTF) {
            let section = chain(btf).count == 1 ? btf.strings : chain(btf).flatMap(\.strings)
            length = section.count
            builder = NameTableBuilder(Frozen(section))
        }
    }

    /// The types of a base chain, by hash, and what their forms tell.
    package struct Types: Sendable {
        let words: [UInt32]
        let starts: [UInt32]
        let table: FrozenChains
        let named: NamedTypes
        let nestsArrays: Bool
        let resolvesForwards: Bool
        let evidence: TargetEvidence
        /// Some name begins inside a longer string (`StringSection`).
        let namesInsideNames: Bool

        package init(_ btf: BTF) {
            var words: [UInt32] = []
            var starts: [UInt32] = [0]
            for link in chain(btf) {
                let shift = UInt32(words.count)
                // The usual base is alone in its chain: its words are shared, not copied.
                if words.isEmpty {
                    words = link.words
                } else {
                    words.append(contentsOf: link.words)
                }
                starts.append(contentsOf: link.starts.lazy.map { $0 + shift })
            }
            let strings = chain(btf).count == 1 ? btf.strings : chain(btf).flatMap(\.strings)
            var inside = false
            for id in 1..<starts.count {
                forEachName(words, Int(starts[id])) { position in
                    let offset = Int(words[position])
                    if offset > 0, strings[offset - 1] != 0 { inside = true }
                }
            }
            self.init(words, starts, TargetEvidence(btf), namesInsideNames: inside)
        }

        /// The same types with each name at the offset that `names` knows it by.
        fileprivate init(
            words: [UInt32], starts: [UInt32], _ evidence: TargetEvidence,
            renaming names: inout NameTableBuilder
        ) {
            var words = words
            for id in 1..<starts.count {
                var positions: [Int] = []
                forEachName(words, Int(starts[id])) { positions.append($0) }
                for position in positions {
                    words[position] = UInt32(names.canonicalOffset(Int(words[position])))
                }
            }
            self.init(words, starts, evidence, namesInsideNames: false)
        }

        private init(
            _ words: [UInt32], _ starts: [UInt32], _ evidence: TargetEvidence,
            namesInsideNames: Bool
        ) {
            self.namesInsideNames = namesInsideNames
            self.evidence = evidence
            var nested = false
            table = FrozenChains(entries: starts.count) { id in
                guard id > 0 else { return nil }
                let start = Int(starts[id])
                if TypeInfo(rawValue: words[start + 1]).kind == .array {
                    let element = Int(words[start + 3])
                    if element > 0, element < starts.count,
                        TypeInfo(rawValue: words[Int(starts[element]) + 1]).kind == .array
                    {
                        nested = true
                    }
                }
                return recordHash(words, starts, id)
            }
            self.words = words
            self.starts = starts
            nestsArrays = nested
            named = NamedTypes(UInt32(starts.count)) { words[Int(starts[Int($0)]) + $1] }
            resolvesForwards = !hasResolvableForward(words, starts, named)
        }
    }
}

/// The BTFs that `btf` continues, the first one first, and itself.
private func chain(_ btf: BTF) -> [BTF] {
    var links = [btf]
    while let base = links[links.count - 1].base { links.append(base) }
    return links.reversed()
}

/// True when some FWD has the name of exactly one STRUCT or UNION, of its own sort.
private func hasResolvableForward(
    _ words: [UInt32], _ starts: [UInt32], _ named: NamedTypes
) -> Bool {
    func info(_ id: UInt32) -> TypeInfo { TypeInfo(rawValue: words[Int(starts[Int(id)]) + 1]) }
    return (1..<max(1, UInt32(starts.count))).contains { id in
        guard info(id).kind == .fwd,
            case .one(let target) = NamedComposites(words[Int(starts[Int(id)])], in: named, info)
        else { return false }
        return info(target).kind == (info(id).flag ? .union : .struct)
    }
}
