// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF
internal import Tables

/// Structs and unions as previously read. Most recur in unit after unit and differ only in where
/// the types of their members are. Each thread keeps its own models.
///
/// Headers are read in the same order again and again, so the model that followed the last one the
/// previous time is tried first: neighbours are adjacent in memory, whereas a lookup by name is a
/// cache miss. A model found this way is a guess and is compared like any other.
struct CompositeModels: ~Copyable {
    struct Model: BitwiseCopyable {
        let kind: Kind
        let hasBits: Bool
        let size: UInt32
        /// 0 if unnamed.
        let name: UInt32
        /// Offset of the name in `.debug_str`; `.max` if it is not there or there is no name.
        let nameOffset: UInt32
        fileprivate let first: UInt32
        fileprivate let count: UInt32
        /// Indexes of the models that followed this one: the last named one seen, and the first
        /// unnamed one.
        fileprivate var next = UInt32.max
        fileprivate var nextUnnamed = UInt32.max

        /// Range of `CompositeModels.members`.
        var members: Range<Int> { Int(first)..<Int(first) &+ Int(count) }
    }

    /// Members that are kept at most: 5 MiB.
    private static var limit: Int { 1 << 18 }

    private(set) var members = KnownMembers()
    private var models = Arena<Model>()
    /// Name -> index of the model kept last.
    private var byName = NumberTable()
    /// Index of the model used last; `.max` at first.
    private var last = UInt32.max

    /// The model that may be the next one's, whose name is at `offset` of `.debug_str`, not `.max`.
    @inline(__always)
    func guess(
        _ kind: Kind, nameAt offset: UInt32, size: UInt32, _ reader: borrowing EntryReader
    ) -> UInt32? {
        guard last != .max else { return nil }
        let index = models[Int(last)].next
        guard index != .max else { return nil }
        let model = models[Int(index)]
        guard model.kind == kind, model.size == size,
            model.nameOffset == offset || reader.haveSameName(model.nameOffset, offset)
        else { return nil }
        return index
    }

    @inline(__always)
    func find(_ kind: Kind, name: UInt32, size: UInt32) -> UInt32? {
        let index: UInt32
        if name != 0 {
            guard let found = byName.find(name) else { return nil }
            index = found
        } else {
            guard last != .max else { return nil }
            index = models[Int(last)].nextUnnamed
            guard index != .max else { return nil }
        }
        let model = models[Int(index)]
        return model.kind == kind && model.size == size ? index : nil
    }

    @inline(__always)
    subscript(_ index: UInt32) -> Model { models[Int(index)] }

    /// Notes that the model at `index` was the right one.
    @inline(__always)
    mutating func use(_ index: UInt32) {
        if last != .max, models[Int(index)].name != 0, models[Int(last)].next != index {
            models[Int(last)].next = index
        }
        last = index
    }

    /// Keeps the last record of `types` and the members it was generated from: a named record if
    /// there is no model with the same name yet, an unnamed one if the model used last has no
    /// unnamed successor yet.
    mutating func keep(
        _ kind: Kind, name: UInt32, nameAt offset: UInt32, size: UInt32, hasBits: Bool,
        _ children: borrowing Arena<PlainChild>, _ types: borrowing TypeWriter
    ) {
        guard members.count + children.count <= Self.limit, models.count < Self.limit else {
            return
        }
        let index = UInt32(truncatingIfNeeded: models.count)
        if name != 0 {
            guard byName.find(name) == nil else { return }
            byName.insert(name, index)
            if last != .max { models[Int(last)].next = index }
        } else {
            guard last != .max, models[Int(last)].nextUnnamed == .max else { return }
            models[Int(last)].nextUnnamed = index
        }
        models.append(
            Model(
                kind: kind, hasBits: hasBits, size: size, name: name, nameOffset: offset,
                first: UInt32(truncatingIfNeeded: members.count),
                count: UInt32(truncatingIfNeeded: children.count)))
        var at = types.position - 3 * children.count
        for child in children.indices {
            members.append(children[child], first: types[at], place: types[at + 2])
            at += 3
        }
        last = index
    }
}
