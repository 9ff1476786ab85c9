// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

// Tags: clang writes an entry below what is tagged (DW_TAG_LLVM_annotation), GCC 16 lets what is
// tagged refer to a chain of entries (DW_AT_GNU_annotation).
extension UnitEncoder {
    /// A child entry named `btf_decl_tag` or `btf_type_tag`.
    mutating func addAnnotation(_ die: borrowing DIE) throws(DWARFError) {
        guard !open.isEmpty, let isTypeTag = isTypeTag(try name(die, .name)) else { return }
        let last = open.last
        var component = -1
        if die.depth == last.depth + 2 {
            // One level deeper it belongs to the member or parameter read last.
            guard let number = lastComponent(of: last) else { return }
            component = number
        } else if die.depth != last.depth + 1 {
            return
        }
        annotations.add(
            Annotation(
                content: .tag(isTypeTag: isTypeTag, value: try name(die, .constValue)),
                component: component))
    }

    /// The annotation entry itself, as GCC writes it.
    mutating func addAnnotationEntry(_ die: borrowing DIE) throws(DWARFError) {
        guard let isTypeTag = isTypeTag(try name(die, .name)) else { return }
        let entry = AnnotationEntry(
            isTypeTag: isTypeTag, value: try name(die, .constValue),
            next: try reference(die, .annotation))
        annotations.add(entry, at: references.slot(die.offset))
    }

    /// Notes that `die`, a member or parameter just read or the entry just opened, has a chain.
    mutating func noteChain(_ die: borrowing DIE, isComponent: Bool) throws(DWARFError) {
        guard die.has(.annotation), !open.isEmpty else { return }
        let component = isComponent ? lastComponent(of: open.last) ?? -1 : -1
        annotations.add(
            Annotation(content: .chain(try reference(die, .annotation)), component: component))
    }

    private func isTypeTag(_ name: UInt32) -> Bool? {
        if name == context.typeTagName { return true }
        return name == context.declTagName ? false : nil
    }

    private func lastComponent(of entry: OpenEntry) -> Int? {
        switch entry.sort {
        case .composite: (scratch.count - entry.elements) / 4 - 1
        case .function: Int(declared.functions[entry.function].parameterCount) - 1
        case .array, .enumeration, .prototype, .annotated: nil
        }
    }

    // MARK: When the tagged entry is complete

    /// A pointer, typedef or variable whose children are read. A pointer's type tags stand between
    /// it and what it points at; clang's last one is the outermost.
    mutating func finishAnnotated(_ entry: OpenEntry) {
        switch references.content(entry.place) {
        case .type(let number):
            return finishTags(of: .type(number | TypeWriter.unstored), entry)
        case .value(let index): return finishTags(of: .value(Int(index)), entry)
        case .nothing, .alias, .function: break
        }
        var inner: UInt32?
        for annotation in annotations.since(entry.firstAnnotation) {
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
        for annotation in annotations.since(entry.firstAnnotation) {
            switch annotation.content {
            case .tag(isTypeTag: false, let value) where !features.contains(.declTag):
                note(value, .tagLeftOut)
            case .tag(isTypeTag: false, let value):
                annotations.add(
                    DeclarationTag(
                        target: target, value: value, component: annotation.component))
            case .tag:
                continue
            case .chain(let reference):
                annotations.add(
                    chain: reference, on: target, component: annotation.component)
            }
        }
    }

    /// A pointer with a chain: it is written now, and its target is filled in once everything is
    /// read.
    mutating func addTaggedPointer(_ die: borrowing DIE, to target: EntryReference)
        throws(DWARFError)
    {
        let id = types.add(.ptr, third: 0)
        define(die, as: id)
        annotations.add(pointer: id, to: target, chain: try reference(die, .annotation))
    }

    // MARK: When all entries are read

    /// Follows the recorded chains. GCC's first tag is the outermost.
    ///
    /// - Throws: also if many chains share a long tail: the output would grow with the product.
    mutating func resolveChains() throws(DWARFError) {
        var left = annotations.allowance
        for (pointer, target, chain) in annotations.pointers {
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
        for (target, chain, component) in annotations.chains {
            for entry in try entries(of: chain, &left) where !entry.isTypeTag {
                guard features.contains(.declTag) else {
                    note(entry.value, .tagLeftOut)
                    continue
                }
                annotations.add(
                    DeclarationTag(target: target, value: entry.value, component: component))
            }
        }
        annotations.forgetChains()
    }

    /// - Parameter left: how many annotations may still be gone through.
    private func entries(
        of chain: EntryReference, _ left: inout Int
    ) throws(DWARFError) -> [AnnotationEntry] {
        guard let found = annotations.entries(of: chain, &left) else {
            throw fail(
                references.sectionOffset(chain),
                "too many entries refer to the same long chain of annotations")
        }
        return found
    }
}
