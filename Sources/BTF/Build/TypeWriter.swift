// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

public import Bytes

/// Types being built, for one unit: an append-only arena of records. They refer to each other by
/// ids with the highest bit set; ids without it belong to a `TypeStore` or its base.
@usableFromInline
package struct TypeWriter: ~Copyable, Sendable {
    /// Marks the ids of types that are in no store yet.
    @inlinable package static var unstored: UInt32 { 1 << 31 }

    private let inPlace = InPlace()
    package let names: NamePool
    /// The records, back to back. Open to those who read the elements of a record just begun.
    @usableFromInline package var words = Arena<UInt32>(capacity: 1 << 12)
    /// Word index of each record.
    @usableFromInline var starts = Arena<UInt32>(capacity: 1 << 10)
    // Once sealed: numbers of the records that a store settles first and second
    // (Deduplication.swift).
    var leaves = Arena<UInt32>()
    var graphs = Arena<UInt32>()

    package init(names: NamePool) { self.names = names }

    package mutating func removeAll() {
        words.removeAll()
        starts.removeAll()
        unseal()
    }

    private mutating func unseal() {
        leaves.removeAll()
        graphs.removeAll()
    }

    /// How many types there are.
    @inlinable @inline(__always)
    package var count: Int { starts.count }

    /// The id that the next record gets.
    @inlinable @inline(__always)
    package var nextID: UInt32 { Self.unstored | UInt32(truncatingIfNeeded: starts.count) }

    /// Starts a record; its fixed words and elements follow through `append`.
    @inlinable @inline(__always) @discardableResult
    package mutating func begin(name: UInt32, info: TypeInfo, third: UInt32) -> UInt32 {
        let id = nextID
        starts.append(UInt32(truncatingIfNeeded: words.count))
        words.append(name, info.rawValue, third)
        return id
    }

    @inlinable @inline(__always)
    package mutating func append(_ word: UInt32) { words.append(word) }

    @inlinable @inline(__always)
    package mutating func append(_ a: UInt32, _ b: UInt32) {
        words.append(a)
        words.append(b)
    }

    @inlinable @inline(__always)
    package mutating func append(_ a: UInt32, _ b: UInt32, _ c: UInt32) {
        words.append(a, b, c)
    }

    /// Index of the next word, for `subscript` once its value is known.
    @inlinable @inline(__always)
    package var position: Int { words.count }

    @inlinable @inline(__always)
    package subscript(_ position: Int) -> UInt32 {
        get { words[position] }
        set { words[position] = newValue }
    }

    /// Rewrites the info and third word of the record that was begun with `id`.
    package mutating func amend(_ id: UInt32, info: TypeInfo, third: UInt32) {
        let start = start(id)
        words[start + 1] = info.rawValue
        words[start + 2] = third
    }

    /// Sets the kind flag of the record of `id`: a struct with bitfields.
    package mutating func setFlag(of id: UInt32) { words[start(id) + 1] |= 1 << 31 }

    /// Takes back the record of `id`, the last one.
    package mutating func removeLast(_ id: UInt32) {
        precondition(id == nextID - 1)
        words.truncate(to: start(id))
        _ = starts.popLast()
    }

    /// Whether `id` is one of this writer's.
    @inlinable @inline(__always)
    package static func isUnstored(_ id: UInt32) -> Bool { id & unstored != 0 }

    /// Word index of the record with this id, one of this writer's.
    @inlinable @inline(__always)
    package func start(_ id: UInt32) -> Int { Int(starts[Int(id & ~Self.unstored)]) }

    /// One word of the record of `id`, one of this writer's.
    @inlinable @inline(__always)
    package func word(_ id: UInt32, _ index: Int) -> UInt32 { words[start(id) + index] }

    package func info(_ id: UInt32) -> TypeInfo { TypeInfo(rawValue: word(id, 1)) }

    /// The names of all types of a kind.
    package func names(of kind: Kind) -> Set<UInt32> {
        var names: Set<UInt32> = []
        for index in starts.indices {
            let start = Int(starts[index])
            if TypeInfo(rawValue: words[start + 1]).kind == kind { names.insert(words[start]) }
        }
        return names
    }
}

extension TypeWriter {
    /// Adds a type without elements.
    @discardableResult
    package mutating func add(
        _ kind: Kind, name: UInt32 = 0, third: UInt32, vlen: Int = 0, flag: Bool = false
    ) -> UInt32 {
        begin(name: name, info: TypeInfo(kind, vlen: vlen, flag: flag), third: third)
    }

    /// - Parameters:
    ///   - size: bytes.
    ///   - encoding: bits of `IntEncoding`.
    ///   - bits: width in bits.
    @discardableResult
    package mutating func addInt(name: UInt32, size: UInt32, encoding: UInt32, bits: UInt32)
        -> UInt32
    {
        let id = add(.int, name: name, third: size)
        append(encoding << 24 | bits & 0xff)
        return id
    }

    @discardableResult
    package mutating func addArray(element: UInt32, index: UInt32, count: UInt32) -> UInt32 {
        let id = add(.array, third: 0)
        append(element, index, count)
        return id
    }

    /// Adds a declaration tag.
    ///
    /// - Parameter component: number of the member or parameter, -1 for the whole of `id`.
    @discardableResult
    package mutating func addDeclarationTag(
        _ value: UInt32, on id: UInt32, component: Int
    ) -> UInt32 {
        let tag = add(.declTag, name: value, third: id)
        append(UInt32(bitPattern: Int32(component)))
        return tag
    }
}

extension TypeWriter {
    /// Sorts the records by how a store processes them. Call it when all records are complete,
    /// before a store absorbs them.
    package mutating func seal() {
        unseal()
        for index in starts.indices {
            let number = UInt32(truncatingIfNeeded: index)
            switch TypeInfo(rawValue: words[Int(starts[index]) &+ 1]).kind?.settling {
            case .leaf, .place: leaves.append(number)
            case .graph, .alias: graphs.append(number)
            case .referring, nil: break
            }
        }
    }
}
