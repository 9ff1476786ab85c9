// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Tables

/// BTF moved to another base.
package struct Rebased: Sendable {
    /// Split BTF.
    package let bytes: [UInt8]
    /// Own types in it.
    package let typeCount: Int
    /// What each id has become, by old id; 0 for void, and for types that nothing needs any more.
    package let ids: [UInt32]

    package func id(of old: UInt32) -> UInt32? { old < ids.count ? ids[Int(old)] : nil }
}

extension BTF {
    /// This BTF as split BTF on another base: types that the base has are replaced by the base's,
    /// the rest are own types.
    ///
    /// For standalone BTF the result is what encoding against that base would have generated. Split
    /// BTF is given copies of the types of its old base that it needs, so that it no longer depends
    /// on that base.
    ///
    /// If the base has flat arrays of several dimensions (`BaseIndex.nestsArrays`), nested ones are
    /// flattened. The reverse is impossible: the dimensions are lost.
    ///
    /// Kinds that the kernel does not accept become what encoding for it would have written
    /// (`Lowering`).
    ///
    /// - Parameters:
    ///   - needed: ids of its old base that are needed besides those that own types lead to.
    ///   - missing: features that the kernel does not accept.
    /// - Throws: `BTFError` if a type refers to one that does not exist or contains itself without
    ///   a struct in between, or if the result would have more types or strings than kernels
    ///   accept.
    package func rebased(
        onto base: BaseIndex, keeping needed: [UInt32] = [],
        without missing: Set<KernelAbility> = []
    ) throws(BTFError) -> Rebased {
        try checkReferences()
        // The types needed from the old base come first, on their own: nearly all of them are in
        // the new base, and types that the module knows better than both bases would hide them.
        let needed = try neededOfBase(besides: needed)
        let arrays =
            base.nestsArrays ? FlatArrays() : try FlatArrays(self, needed + Array(ownIDs))
        let names = NamePool(base: base, expecting: starts.count)
        var store = TypeStore(base: base, names: names, mergesSigns: true)
        let lowering = Lowering(missing, base)
        var translation = Translation(self, names, arrays, lowering)
        for ids in [needed, Array(ownIDs)] {
            let kept = arrays.inner.isEmpty ? ids : ids.filter { !arrays.inner.contains($0) }
            let (ids, tags) = lowering.parts(of: kept, self)
            var writer = TypeWriter(names: names)
            try translation.write(ids, tags: tags, to: &writer)
            writer.seal()
            try store.absorb(writer)
            for id in ids + tags {
                translation.ids[Int(id)] = store.id(of: translation.ids[Int(id)])
            }
        }
        let compact = store.compacted()
        try checkLimits(
            typeCount: Int(base.typeCount) + compact.typeCount,
            stringLength: Int(base.stringLength) + compact.strings.count)
        let ids = translation.ids.map { id in
            compact.finalID(of: store.resolve(store.replacement(of: id)))
        }
        return Rebased(
            bytes: compact.serialized(bigEndian: bigEndian), typeCount: compact.typeCount, ids: ids)
    }
}

/// Throws if kernels would not accept so many types or strings (include/uapi/linux/btf.h,
/// `BTF_MAX_TYPE` and `BTF_MAX_NAME_OFFSET`).
func checkLimits(typeCount: Int, stringLength: Int) throws(BTFError) {
    guard typeCount - 1 <= 0xf_ffff else {
        throw BTFError(offset: 0, "\(typeCount - 1) types on that base, kernels accept \(0xf_ffff)")
    }
    guard stringLength <= 0x100_0000 else {
        throw BTFError(
            offset: 0, "\(stringLength) bytes of strings on that base, kernels accept \(0x100_0000)"
        )
    }
}

/// Writes types of a BTF with the names and ids of a store.
struct Translation: ~Copyable {
    private let btf: BTF
    private let types: TypeTable
    private let arrays: FlatArrays
    private let lowering: Lowering
    /// What each type is in the store or in the unit being written; 0 for what is neither.
    var ids: [UInt32]
    private let names: NamePool
    /// By offset in the BTF's strings: the number of the name.
    private var known: PagedNumbers

    init(_ btf: BTF, _ names: NamePool, _ arrays: FlatArrays, _ lowering: Lowering) {
        self.btf = btf
        types = TypeTable(btf)
        self.lowering = lowering
        self.names = names
        self.arrays = arrays
        known = PagedNumbers(
            below: types.ownStrings.count + (btf.base == nil ? 0 : types.lowStrings.count))
        ids = Array(repeating: 0, count: Int(btf.typeCount))
    }

    /// Gives numbers to the names of types.
    private mutating func takeNames(_ unit: [UInt32]) throws(BTFError) {
        var new = Arena<UInt32>(capacity: unit.count)
        for id in unit {
            types.withRecord(id) { words, start in
                TypeInfo(rawValue: words[start + 1]).forEachName { place in
                    let offset = words[start + place]
                    guard offset != 0, known[offset] == PagedNumbers.none else { return }
                    // Until its number is known.
                    known[offset] = 0
                    new.append(offset)
                }
            }
        }
        guard let taken = names.intern(new, types.lowStrings, types.ownStrings) else {
            throw BTFError(offset: 0, "its strings do not fit that base")
        }
        for index in new.indices { known[new[index]] = taken[index] }
    }

    /// - Parameter offset: of a name of a type of the unit being written.
    private func name(_ offset: UInt32) -> UInt32 {
        // All names of the unit were taken.
        offset == 0 ? 0 : known[offset]
    }

    /// - Parameter tags: TYPE_TAGs to omit: references to them become references to the tagged
    ///   types.
    mutating func write(
        _ unit: [UInt32], tags: [UInt32], to writer: inout TypeWriter
    ) throws(BTFError) {
        for (number, id) in unit.enumerated() {
            ids[Int(id)] = TypeWriter.unstored | UInt32(number)
        }
        try takeNames(unit)
        let lowering = lowering
        for id in tags { ids[Int(id)] = ids[Int(try lowering.untagged(id, btf))] }
        for id in unit {
            types.withRecord(id) { words, start in write(id, words, start, to: &writer) }
        }
    }

    /// - Parameter words: with the record at `start`.
    private mutating func write(
        _ id: UInt32, _ words: [UInt32], _ start: Int, to writer: inout TypeWriter
    ) {
        let info = TypeInfo(rawValue: words[start + 1])
        if lowering.changes(info) {
            return lowering.write(words, start, name: name(words[start]), to: &writer) {
                name($0)
            }
        }
        // Known: parsing refuses others.
        let shape = info.kind!.shape
        let at = writer.position
        writer.begin(
            name: name(words[start]), info: info,
            third: shape.refersToType ? ids[Int(words[start + 2])] : words[start + 2])
        if info.kind!.isComposite {
            for index in stride(from: start + 3, to: start + 3 + info.vlen * 3, by: 3) {
                writer.append(
                    name(words[index]), ids[Int(words[index + 1])], words[index + 2])
            }
            return
        }
        let count = info.recordWords
        for index in 3..<max(3, count) { writer.append(words[start + index]) }
        if info.kind == .array, let flat = arrays.flat[id] {
            writer[at + 3] = flat.element
            writer[at + 5] = flat.count
        }
        if shape.fixedTypes != 0 {
            for index in 3..<3 + shape.fixed where shape.isReference(index) {
                writer[at + index] = ids[Int(writer[at + index])]
            }
        }
        guard shape.elementTypes != 0 || shape.elementHasName else { return }
        for index in stride(from: 3 + shape.fixed, to: count, by: shape.element) {
            if shape.elementHasName {
                writer[at + index] = name(writer[at + index])
            }
            for word in index..<index + shape.element where shape.isReference(word) {
                writer[at + word] = ids[Int(writer[at + word])]
            }
        }
    }
}

extension BTF {
    /// The record of a type that exists: the words it is among, and where in them it starts.
    func place(of id: UInt32) -> (words: [UInt32], start: Int) {
        if id >= firstID { return (words, Int(starts[Int(id - firstID)])) }
        var owner = self
        while id < owner.firstID, let base = owner.base { owner = base }
        return (owner.words, Int(owner.starts[Int(id - owner.firstID)]))
    }

    /// Where the record of an own type is, in bytes; nil for a type of the base.
    func offset(ofRecord id: UInt32) -> Int? {
        guard id >= firstID else { return nil }
        return header.length + header.typeOffset + Int(starts[Int(id - firstID)]) * 4
    }

    /// The types of the base that the own ones and `ids` reach, in order.
    fileprivate func neededOfBase(besides ids: [UInt32]) throws(BTFError) -> [UInt32] {
        guard let base else { return [] }
        var isNeeded = Array(repeating: false, count: Int(firstID))
        var pending = ids
        for start in starts {
            forEachReference(words, Int(start)) { pending.append(words[$0]) }
        }
        while let id = pending.popLast() {
            guard id > 0, id < firstID, !isNeeded[Int(id)] else { continue }
            isNeeded[Int(id)] = true
            let (words, start) = base.place(of: id)
            var outside: UInt32?
            forEachReference(words, start) { position in
                let target = words[position]
                if target >= firstID { outside = target } else { pending.append(target) }
            }
            if let outside {
                throw BTFError(
                    offset: 0,
                    "type \(id) of its old base refers to type \(outside), the last one is \(firstID - 1)"
                )
            }
        }
        return (1..<firstID).filter { isNeeded[Int($0)] }
    }
}
