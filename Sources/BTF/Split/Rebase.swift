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
            let (ids, tags) = lowering.parts(of: ids.filter { !arrays.inner.contains($0) }, self)
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
    private let arrays: FlatArrays
    private let lowering: Lowering
    /// What each type is in the store or in the unit being written; 0 for what is neither.
    var ids: [UInt32]
    private let names: NamePool
    /// By offset in the BTF's strings.
    private var known: NumberTable

    init(_ btf: BTF, _ names: NamePool, _ arrays: FlatArrays, _ lowering: Lowering) {
        self.btf = btf
        self.lowering = lowering
        self.names = names
        self.arrays = arrays
        known = NumberTable(expecting: btf.starts.count)
        ids = Array(repeating: 0, count: Int(btf.typeCount))
    }

    private mutating func name(_ offset: UInt32) throws(BTFError) -> UInt32 {
        if offset == 0 { return 0 }
        if let name = known.find(offset) { return name }
        guard let name = btf.withString(at: offset, { names.intern($0) }) else {
            throw BTFError(offset: 0, "its strings do not fit that base")
        }
        known.insert(offset, name)
        return name
    }

    /// - Parameter tags: TYPE_TAGs to omit: references to them become references to the tagged
    ///   types.
    mutating func write(
        _ unit: [UInt32], tags: [UInt32], to writer: inout TypeWriter
    ) throws(BTFError) {
        for (number, id) in unit.enumerated() {
            ids[Int(id)] = TypeWriter.unstored | UInt32(number)
        }
        let lowering = lowering
        for id in tags { ids[Int(id)] = ids[Int(try lowering.untagged(id, btf))] }
        for id in unit {
            let (words, start) = btf.place(of: id)
            let info = TypeInfo(rawValue: words[start + 1])
            if lowering.changes(info) {
                try lowering.write(
                    words, start, name: try name(words[start]), to: &writer
                ) { offset throws(BTFError) in try name(offset) }
                continue
            }
            // Known: parsing refuses others.
            let shape = info.kind!.shape
            let at = writer.position
            writer.begin(
                name: try name(words[start]), info: info,
                third: shape.refersToType ? ids[Int(words[start + 2])] : words[start + 2])
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
            guard shape.elementTypes != 0 || shape.elementHasName else { continue }
            for index in stride(from: 3 + shape.fixed, to: count, by: shape.element) {
                if shape.elementHasName {
                    writer[at + index] = try name(writer[at + index])
                }
                for word in index..<index + shape.element where shape.isReference(word) {
                    writer[at + word] = ids[Int(writer[at + word])]
                }
            }
        }
    }
}

/// Arrays of several dimensions, made one.
struct FlatArrays {
    /// By id of the outermost array: the element of the innermost, and how many of them there are.
    private(set) var flat: [UInt32: (element: UInt32, count: UInt32)] = [:]
    /// Arrays that were there as elements of others only.
    private(set) var inner: Set<UInt32> = []

    /// None.
    init() {}

    /// - Throws: when an array is its own element.
    init(_ btf: BTF, _ ids: [UInt32]) throws(BTFError) {
        let types = TypeTable(btf)
        func isArray(_ id: UInt32) -> Bool { id > 0 && types.kind(id) == .array }
        var usedOtherwise: Set<UInt32> = []
        var isElement: Set<UInt32> = []
        for id in ids {
            if types.kind(id) == .array {
                if isArray(types.word(id, 3)) { isElement.insert(types.word(id, 3)) }
                if isArray(types.word(id, 4)) { usedOtherwise.insert(types.word(id, 4)) }
            } else {
                types.forEachReference(id) { if isArray($0) { usedOtherwise.insert($0) } }
            }
        }
        if isElement.isEmpty { return }
        inner = isElement.subtracting(usedOtherwise)
        for id in ids where isArray(id) { try flatten(id, types, btf) }
        flat = flat.filter { !inner.contains($0.key) }
    }

    /// Works an array out, first those that are its elements.
    private mutating func flatten(
        _ root: UInt32, _ types: TypeTable, _ btf: BTF
    ) throws(BTFError) {
        var chain = [root]
        var met: Set<UInt32> = [root]
        while let id = chain.last {
            let element = types.word(id, 3)
            if types.kindIfAny(element) == .array, flat[element] == nil {
                guard met.insert(element).inserted else {
                    let place = btf.offset(ofRecord: id)
                    throw BTFError(
                        offset: place ?? 0,
                        "array \(id)\(place == nil ? " of its old base" : "") is its own element")
                }
                chain.append(element)
                continue
            }
            let below = flat[element] ?? (element, 1)
            let count = UInt64(types.word(id, 5)) * UInt64(below.count)
            // As encoding has it: what does not fit has no length.
            flat[id] = (below.element, UInt32(exactly: count) ?? 0)
            chain.removeLast()
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
    fileprivate func offset(ofRecord id: UInt32) -> Int? {
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
