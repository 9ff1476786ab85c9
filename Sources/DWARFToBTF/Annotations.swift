// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A `btf_decl_tag` or `btf_type_tag` on something that is still open.
struct Annotation {
    enum Content {
        /// clang: the value, read from a child entry.
        case tag(isTypeTag: Bool, value: UInt32)
        /// GCC 16: an entry of its own that may lead to the next.
        case chain(EntryReference)
    }

    let content: Content
    /// Member or parameter number, -1 for the entry itself.
    let component: Int
}

/// A DW_TAG_GNU_annotation entry.
struct AnnotationEntry {
    let isTypeTag: Bool
    let value: UInt32
    let next: EntryReference
}

/// What a declaration tag is on.
enum TagTarget: Sendable {
    case type(UInt32)
    case function(Int)
    case value(Int)
}

/// A declaration tag to be written, once its target is known to stay.
struct DeclarationTag: Sendable {
    let target: TagTarget
    let value: UInt32
    let component: Int
}

/// The tags read so far.
struct Annotations {
    /// On what is still open.
    private var pending: [Annotation] = []
    /// By place in the offset table.
    private var entries: [Int: AnnotationEntry] = [:]
    /// Declaration tags whose targets are known.
    private(set) var declared: [DeclarationTag] = []
    private(set) var chains: [(target: TagTarget, chain: EntryReference, component: Int)] = []
    /// Pointers whose type tags are in chains.
    private(set) var pointers: [(id: UInt32, target: EntryReference, chain: EntryReference)] = []

    mutating func beginUnit() { pending.removeAll(keepingCapacity: true) }

    mutating func beginTable() { declared.removeAll(keepingCapacity: true) }

    /// How many are on what is open.
    var count: Int { pending.count }

    /// Those noted since there were `first`.
    func since(_ first: Int) -> ArraySlice<Annotation> {
        pending.count > first ? pending[first...] : []
    }

    mutating func forget(from first: Int) {
        if pending.count > first { pending.removeLast(pending.count - first) }
    }

    mutating func add(_ annotation: Annotation) { pending.append(annotation) }

    mutating func add(_ entry: AnnotationEntry, at place: Int) { entries[place] = entry }

    mutating func add(_ tag: DeclarationTag) { declared.append(tag) }

    mutating func add(chain: EntryReference, on target: TagTarget, component: Int) {
        chains.append((target, chain, component))
    }

    mutating func add(pointer id: UInt32, to target: EntryReference, chain: EntryReference) {
        pointers.append((id, target, chain))
    }

    /// How many annotations may be visited. Many chains may share a long tail, and the output would
    /// grow with the product.
    var allowance: Int { 64 * (entries.count + pointers.count + chains.count) }

    /// The entries of a chain; nil when there are more than `left`, which falls by their number.
    func entries(of chain: EntryReference, _ left: inout Int) -> [AnnotationEntry]? {
        var found: [AnnotationEntry] = []
        var next = chain
        // A chain that leads back into itself ends at the number of entries there are.
        while next != .none, found.count < entries.count, let entry = entries[Int(next.rawValue)] {
            left -= 1
            guard left >= 0 else { return nil }
            found.append(entry)
            next = entry.next
        }
        return found
    }

    mutating func forgetChains() {
        pointers.removeAll(keepingCapacity: true)
        chains.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
    }
}
