// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// The structs, unions and enums of a base by name, found without a look at each of its types.
struct NamedTypes: Sendable {
    /// Offset of the name << 32 | id, in order. Types without a name are left out.
    let entries: Frozen<UInt64>

    /// As `entries` of another.
    init(entries: Frozen<UInt64>) { self.entries = entries }

    /// - Parameters:
    ///   - count: one past the highest id.
    ///   - word: reads a word of the record with an id.
    init(_ count: UInt32, _ word: (UInt32, Int) -> UInt32) {
        var entries: [UInt64] = []
        for id in 1..<max(1, count) {
            guard let kind = TypeInfo(rawValue: word(id, 1)).kind,
                kind.isComposite || kind.isAnyEnum
            else { continue }
            let name = word(id, 0)
            if name != 0 { entries.append(UInt64(name) << 32 | UInt64(id)) }
        }
        entries.sort()
        self.entries = Frozen(entries)
    }

    /// The first type with this name, lowest id first, for which `body` returns true.
    ///
    /// - Parameter name: its offset in the base's strings.
    func first(_ name: UInt32, where body: (UInt32) -> Bool) -> UInt32? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if UInt32(truncatingIfNeeded: entries[middle] >> 32) < name {
                low = middle + 1
            } else {
                high = middle
            }
        }
        while low < entries.count, entries[low] >> 32 == UInt64(name) {
            let id = UInt32(truncatingIfNeeded: entries[low])
            if body(id) { return id }
            low += 1
        }
        return nil
    }
}

/// The structs and unions with a name.
enum NamedComposites: Equatable {
    case none
    case one(UInt32)
    case several

    /// - Parameter info: of a type of the base.
    init(_ name: UInt32, in base: NamedTypes, _ info: (UInt32) -> TypeInfo) {
        var only: UInt32?
        let second = base.first(name) { id in
            guard info(id).kind?.isComposite == true else { return false }
            if only != nil { return true }
            only = id
            return false
        }
        self = second != nil ? .several : only.map { .one($0) } ?? .none
    }
}
