// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

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
        let arrays = ids.filter { types.kind($0) == .array }
        var isElement = [Bool](repeating: false, count: Int(btf.typeCount))
        for id in arrays where types.kindIfAny(types.word(id, 3)) == .array {
            isElement[Int(types.word(id, 3))] = true
            inner.insert(types.word(id, 3))
        }
        if inner.isEmpty { return }
        for id in ids {
            if types.kind(id) == .array {
                inner.remove(types.word(id, 4))
            } else {
                types.forEachReference(id) { if isElement[Int($0)] { inner.remove($0) } }
            }
        }
        for id in arrays where types.kindIfAny(types.word(id, 3)) == .array {
            try flatten(id, types, btf)
        }
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
