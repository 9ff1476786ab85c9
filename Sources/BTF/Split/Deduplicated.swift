// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

extension BTF {
    /// This BTF with each of its own types once, and without types that its base has. Corresponds
    /// to `btf__dedup` of libbpf 1.8.
    ///
    /// - Parameter index: of its base; nil for BTF without one.
    /// - Throws: `BTFError` if a type refers to one that does not exist or contains itself without
    ///   a struct in between.
    package func deduplicated(over index: BaseIndex?) throws(BTFError) -> BTF {
        try checkReferences()
        let names = NamePool(base: index, expecting: starts.count)
        var store = TypeStore(base: index, names: names)
        var translation = Translation(self, names, FlatArrays(), Lowering([], index))
        for id in 0..<firstID { translation.ids[Int(id)] = id }
        var writer = TypeWriter(names: names)
        try translation.write(Array(ownIDs), tags: [], to: &writer)
        writer.seal()
        try store.absorb(writer)
        let bytes = store.compacted().serialized(
            bigEndian: bigEndian, withLayout: header.layoutLength > 0)
        return try BTF.parse(ByteView(bytes), base: base).withSortedSites()
    }
}
