// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

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

// Tags: clang writes an entry below what is tagged (DW_TAG_LLVM_annotation), GCC 16 lets what is
// tagged refer to a chain of entries (DW_AT_GNU_annotation).
extension UnitEncoder {
    /// A child entry named `btf_decl_tag` or `btf_type_tag`.
    mutating func addAnnotation(_ die: borrowing DIE) throws(DWARFError) {
        guard !open.isEmpty, let isTypeTag = isTypeTag(try name(die, .name)) else { return }
        let last = open[open.count - 1]
        var component = -1
        if die.depth == last.depth + 2 {
            // One level deeper it belongs to the member or parameter read last.
            guard let number = lastComponent(of: last) else { return }
            component = number
        } else if die.depth != last.depth + 1 {
            return
        }
        annotations.append(
            Annotation(
                content: .tag(isTypeTag: isTypeTag, value: try name(die, .constValue)),
                component: component))
    }

    /// The annotation entry itself, as GCC writes it.
    mutating func addAnnotationEntry(_ die: borrowing DIE) throws(DWARFError) {
        guard let isTypeTag = isTypeTag(try name(die, .name)) else { return }
        annotationEntries[slot(die.offset)] = AnnotationEntry(
            isTypeTag: isTypeTag, value: try name(die, .constValue),
            next: try reference(die, .annotation))
    }

    /// Notes that `die`, a member or parameter just read or the entry just opened, has a chain.
    mutating func noteChain(_ die: borrowing DIE, isComponent: Bool) throws(DWARFError) {
        guard die.has(.annotation), !open.isEmpty else { return }
        let component = isComponent ? lastComponent(of: open[open.count - 1]) ?? -1 : -1
        annotations.append(
            Annotation(content: .chain(try reference(die, .annotation)), component: component))
    }

    private func isTypeTag(_ name: UInt32) -> Bool? {
        if name == context.typeTagName { return true }
        return name == context.declTagName ? false : nil
    }

    private func lastComponent(of entry: OpenEntry) -> Int? {
        switch entry.sort {
        case .composite: (scratch.count - entry.elements) / 4 - 1
        case .function: Int(functions[entry.function].parameterCount) - 1
        case .array, .enumeration, .prototype, .annotated: nil
        }
    }

    // MARK: When the tagged entry is complete

    /// A pointer, typedef or variable whose children are read. A pointer's type tags stand between
    /// it and what it points at; clang's last one is the outermost.
    mutating func finishAnnotated(_ entry: OpenEntry) {
        switch offsets.content(entry.place) {
        case .type(let number):
            return finishTags(of: .type(number | TypeWriter.unstored), entry)
        case .value(let index): return finishTags(of: .value(Int(index)), entry)
        case .nothing, .alias, .function: break
        }
        var inner: UInt32?
        for annotation in annotations[entry.firstAnnotation...] {
            guard case .tag(isTypeTag: true, let value) = annotation.content else { continue }
            guard features.contains(.typeTag) else {
                note(value, .tagLeftOut)
                continue
            }
            inner =
                inner.map { types.add(.typeTag, name: value, third: $0) }
                ?? begin(.typeTag, name: value, to: entry.type)
        }
        let id = inner.map { types.add(.ptr, third: $0) } ?? begin(.ptr, to: entry.type)
        define(entry, as: id)
    }

    /// Takes the declaration tags that were read for `entry`.
    mutating func finishTags(of target: TagTarget, _ entry: OpenEntry) {
        guard annotations.count > entry.firstAnnotation else { return }
        for annotation in annotations[entry.firstAnnotation...] {
            switch annotation.content {
            case .tag(isTypeTag: false, let value) where !features.contains(.declTag):
                note(value, .tagLeftOut)
            case .tag(isTypeTag: false, let value):
                declarationTags.append(
                    DeclarationTag(
                        target: target, value: value, component: annotation.component))
            case .tag:
                continue
            case .chain(let reference):
                declarationChains.append((target, reference, annotation.component))
            }
        }
    }

    /// A pointer with a chain: it is written now and told what it points at when all is read.
    mutating func addTaggedPointer(_ die: borrowing DIE, to target: EntryReference)
        throws(DWARFError)
    {
        let id = types.add(.ptr, third: 0)
        define(die, as: id)
        taggedPointers.append((id, target, try reference(die, .annotation)))
    }

    // MARK: When all entries are read

    /// Follows the chains that were noted. GCC's first tag is the outermost.
    ///
    /// - Throws: also where many of them share long ones: what is written would grow with the product.
    mutating func resolveChains() throws(DWARFError) {
        var left = 64 * (annotationEntries.count + taggedPointers.count + declarationChains.count)
        for index in taggedPointers.indices {
            let (pointer, target, chain) = taggedPointers[index]
            var outer = try typeID(target)
            for entry in try entries(of: chain, &left).reversed() where entry.isTypeTag {
                if features.contains(.typeTag) {
                    outer = types.add(.typeTag, name: entry.value, third: outer)
                } else {
                    note(entry.value, .tagLeftOut)
                }
            }
            types.amend(pointer, info: TypeInfo(.ptr), third: outer)
        }
        taggedPointers.removeAll(keepingCapacity: true)
        for index in declarationChains.indices {
            let (target, chain, component) = declarationChains[index]
            for entry in try entries(of: chain, &left) where !entry.isTypeTag {
                guard features.contains(.declTag) else {
                    note(entry.value, .tagLeftOut)
                    continue
                }
                declarationTags.append(
                    DeclarationTag(target: target, value: entry.value, component: component))
            }
        }
        declarationChains.removeAll(keepingCapacity: true)
        annotationEntries.removeAll(keepingCapacity: true)
    }

    /// - Parameter left: how many annotations may still be gone through.
    private func entries(
        of chain: EntryReference, _ left: inout Int
    ) throws(DWARFError) -> [AnnotationEntry] {
        var found: [AnnotationEntry] = []
        var next = chain
        // A chain that leads back into itself ends at the number of entries there are.
        while next != .none, found.count < annotationEntries.count,
            let entry = annotationEntries[Int(next.rawValue)]
        {
            left -= 1
            guard left >= 0 else {
                throw fail(
                    tableOrigin + Int(chain.rawValue),
                    "too many entries refer to the same long chain of annotations")
            }
            found.append(entry)
            next = entry.next
        }
        return found
    }
}
