// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import DWARF

/// An entry that is still open: its children come next in the stream.
struct OpenEntry: BitwiseCopyable {
    enum Sort: BitwiseCopyable {
        case composite, array, enumeration, prototype, function, annotated
    }

    let sort: Sort
    let depth: Int
    /// Its place in the offset table.
    let place: Int
    var name: UInt32 = 0
    var tag: Tag
    var size: UInt64 = 0
    var type = EntryReference.none
    /// Of a function: it takes any further arguments. Of an enum: it is signed. Of a composite:
    /// BTF cannot express its layout.
    var flag = false
    /// Where its elements start in `scratch`.
    let elements: Int
    /// Index of the function, for `.function`.
    var function = 0
    /// Where its annotations start.
    let firstAnnotation: Int

    /// A bit for its depth, below 64.
    fileprivate var bit: UInt64 { depth < 64 ? 1 << UInt64(depth) : 0 }
}

/// The entries that are open, each inside the one before.
struct OpenEntries: ~Copyable {
    private var entries = Arena<OpenEntry>()
    /// A bit for the depth of each of them, below 64.
    private(set) var depths: UInt64 = 0
    /// The same of functions whose variables nobody wants.
    private(set) var hidden: UInt64 = 0
    private var functions = 0

    var isEmpty: Bool { entries.isEmpty }
    /// Some entry that is open is a function.
    var areInFunction: Bool { functions > 0 }

    /// Depth of the innermost; -1 when none is open.
    @inline(__always)
    var depth: Int { entries.isEmpty ? -1 : entries[entries.count - 1].depth }

    /// The innermost; there is one.
    @inline(__always)
    var last: OpenEntry { entries[entries.count - 1] }

    mutating func removeAll() {
        entries.removeAll()
        depths = 0
        hidden = 0
        functions = 0
    }

    /// - Parameter isHiding: the variables of a function are of no interest.
    mutating func push(_ entry: OpenEntry, isHiding: Bool) {
        entries.append(entry)
        depths |= entry.bit
        if entry.sort == .function {
            if isHiding { hidden |= entry.bit }
            functions += 1
        }
    }

    mutating func pop() -> OpenEntry? {
        guard let entry = entries.popLast() else { return nil }
        depths &= ~entry.bit
        if entry.sort == .function {
            hidden &= ~entry.bit
            functions -= 1
        }
        return entry
    }

    /// Flags the innermost, which there is.
    mutating func flagLast() { entries[entries.count - 1].flag = true }
}
