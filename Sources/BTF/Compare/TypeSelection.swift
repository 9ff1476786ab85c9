// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Which types of a BTF count.
package struct TypeSelection: Sendable {
    /// nil: all.
    package var kinds: Set<Kind>?
    /// Patterns with `*` and `?`, one of which the name has to fit. Empty: all.
    package var names: [String] = []
    /// What a module uses (`TypeUse`). nil: all.
    package var used: TypeUse?

    package init() {}

    /// All types count.
    var isEverything: Bool { kinds == nil && names.isEmpty && used == nil }

    /// The patterns of names that fit none of the files' own types of the kinds that count.
    package func unmatchedNames(in files: [BTF]) -> [String] {
        names.filter { name in
            let pattern = Array(name.utf8)[...]
            return !files.contains { file in
                file.ownRecords.contains { record in
                    kinds?.contains(record.kind) != false
                        && fits(file.stringBytes(at: record.nameOffset), pattern)
                }
            }
        }
    }

    func contains(_ id: UInt32, of types: TypeTable) -> Bool {
        if let kinds, !kinds.contains(types.kind(id)) { return false }
        if !names.isEmpty {
            let name = types.string(at: types.nameOffset(id))
            guard names.contains(where: { fits(name, Array($0.utf8)[...]) }) else { return false }
        }
        return used?.contains(id, of: types) ?? true
    }
}

/// Whether a name fits a pattern, in steps bounded by the product of their lengths.
func fits(_ name: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
    var (at, place) = (name.startIndex, pattern.startIndex)
    // Where the last star was, and up to where it reaches.
    var star: (pattern: Int, name: Int)?
    while at < name.endIndex {
        if place < pattern.endIndex, pattern[place] == 42 {
            star = (place + 1, at)
            place += 1
        } else if place < pattern.endIndex, pattern[place] == 63 || pattern[place] == name[at] {
            at += 1
            place += 1
        } else if let last = star {
            star = (last.pattern, last.name + 1)
            (place, at) = (last.pattern, last.name + 1)
        } else {
            return false
        }
    }
    return pattern[place...].allSatisfy { $0 == 42 }
}
