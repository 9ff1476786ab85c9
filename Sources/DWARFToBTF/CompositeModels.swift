// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

/// Structs and unions as they were read before, by name: most come again in unit after unit, with nothing
/// new but where the types of their members are. Each thread keeps its own.
struct CompositeModels: ~Copyable {
    struct Model: BitwiseCopyable {
        let kind: Kind
        let hasBits: Bool
        let size: UInt32
        private let first: UInt32
        private let count: UInt32

        init(kind: Kind, hasBits: Bool, size: UInt32, first: Int, count: Int) {
            self.kind = kind
            self.hasBits = hasBits
            self.size = size
            self.first = UInt32(truncatingIfNeeded: first)
            self.count = UInt32(truncatingIfNeeded: count)
        }

        /// Range of `CompositeModels.members`.
        var members: Range<Int> { Int(first)..<Int(first) &+ Int(count) }
    }

    /// Members that are kept at most: 5 MiB.
    private static var limit: Int { 1 << 18 }

    private(set) var members = KnownMembers()
    private var models = Arena<Model>()
    /// Name -> index of the model kept last.
    private var byName = NumberTable()

    @inline(__always)
    func find(_ kind: Kind, name: UInt32, size: UInt32) -> Model? {
        guard name != 0, let index = byName.find(name) else { return nil }
        let model = models[Int(index)]
        return model.kind == kind && model.size == size ? model : nil
    }

    /// Keeps the last record of `types` and the members it was made from, if none of its name is kept.
    mutating func keep(
        _ kind: Kind, name: UInt32, size: UInt32, hasBits: Bool,
        _ children: borrowing Arena<PlainChild>, _ types: borrowing TypeWriter, _ id: UInt32
    ) {
        guard name != 0, members.names.count + children.count <= Self.limit,
            byName.find(name) == nil
        else { return }
        byName.insert(name, UInt32(truncatingIfNeeded: models.count))
        models.append(
            Model(
                kind: kind, hasBits: hasBits, size: size, first: members.names.count,
                count: children.count))
        for index in children.indices { members.names.append(children[index].nameKey) }
        types.copyMembers(of: id, into: &members.triples)
    }
}
