// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

/// Structs and unions as they were read before, by name: most come again in unit after unit, with nothing
/// new but where the types of their members are. Each thread keeps its own.
struct CompositeModels: ~Copyable {
    struct Model: BitwiseCopyable {
        let kind: Kind
        let size: UInt32
        private let firstMember: UInt32
        private let firstWord: UInt32
        private let count: UInt32

        init(kind: Kind, size: UInt32, firstMember: Int, firstWord: Int, count: Int) {
            self.kind = kind
            self.size = size
            self.firstMember = UInt32(truncatingIfNeeded: firstMember)
            self.firstWord = UInt32(truncatingIfNeeded: firstWord)
            self.count = UInt32(truncatingIfNeeded: count)
        }

        /// Range of `members`.
        var members: Range<Int> { Int(firstMember)..<Int(firstMember) + Int(count) }
        /// Range of `words`: the record.
        var words: Range<Int> { Int(firstWord)..<Int(firstWord) + 3 + 3 * Int(count) }
    }

    /// Members that are kept at most: 12 MiB with their words.
    private static var limit: Int { 1 << 18 }

    private(set) var members = Arena<PlainChild>()
    private(set) var words = Arena<UInt32>()
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
        _ kind: Kind, name: UInt32, size: UInt32, _ children: borrowing Arena<PlainChild>,
        _ types: borrowing TypeWriter, _ id: UInt32
    ) {
        guard name != 0, members.count + children.count <= Self.limit, byName.find(name) == nil
        else { return }
        byName.insert(name, UInt32(truncatingIfNeeded: models.count))
        models.append(
            Model(
                kind: kind, size: size, firstMember: members.count, firstWord: words.count,
                count: children.count))
        members.append(children, children.indices)
        types.copyLast(id, into: &words)
    }
}
