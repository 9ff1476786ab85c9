// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import DWARF

/// What becomes of the entries of a Rust unit that are not encoded as they stand. It depends on
/// what is below or around an entry, so the unit is read once before it is encoded.
///
/// Source: what rustc 1.63 to 1.97 writes (compiler/rustc_codegen_llvm/src/debuginfo).
struct RustEntries {
    /// A type that is not written as it stands.
    enum Treatment {
        /// It has type parameters, or arguments in its name.
        case generic
        /// An enum whose values hold data (DW_TAG_variant_part), or of a size that BTF's have not.
        case withData
        /// One of the alternatives of such an enum.
        case alternative
        /// bindgen's translation of a C type, in the crate `bindings` or `uapi`.
        case binding
        /// `()`, `!` and `core::ffi::c_void`: behind a pointer they are C's void.
        case void
    }

    /// By offset in the section.
    private(set) var treatments: [Int: Treatment] = [:]
    /// Types in `treatments` that something other than a pointer refers to.
    private(set) var inPlace: Set<Int> = []
    /// DW_AT_linkage_name of functions and variables, by their offset: rustc writes it where it
    /// differs from the name.
    private(set) var linkageNames: [Int: AttributeValue] = [:]
    /// What `binding`s are called in C.
    private(set) var bindings: [Int: Binding] = [:]

    struct Binding {
        let name: AttributeValue
        let isUnion: Bool
        /// The declaration that stands for it, once a pointer needs one.
        var declaration: UInt32?
    }

    /// Notes the declaration that stands for the `binding` at an offset.
    mutating func declare(_ offset: Int, as id: UInt32) { bindings[offset]?.declaration = id }

    /// An entry with children that is under way.
    private struct Parent {
        enum Sort { case namespace, composite, variants, other }
        var sort = Sort.other
        let offset: Int
        var namespace = Namespace.other
        var hasVariants = false
        var composites: [Int] = []
    }

    /// The namespaces that matter.
    private enum Namespace { case bindings, core, coreFFI, other }

    /// - Parameters:
    ///   - reader: stands before the unit's own entry.
    ///   - text: the start of the string that an attribute of the entry at some offset has.
    init(
        _ reader: inout EntryReader, text: (AttributeValue, Int) throws(DWARFError) -> ByteView
    ) throws(DWARFError) {
        var parents: [Parent] = []
        var values: [AttributeValue] = []
        while try reader.advance() {
            while parents.count > max(reader.depth, 0) { end(parents.removeLast()) }
            try reader.readAll(into: &values)
            var name = ByteView.empty
            switch reader.tag {
            case .namespace, .structureType, .unionType, .classType, .enumerationType:
                if let value = values.first(where: { $0.attribute == .name }) {
                    name = try text(value, reader.offset)
                }
            case .subprogram, .variable:
                if let value = values.first(where: { $0.attribute == .linkageName }) {
                    linkageNames[reader.offset] = value
                }
            default: break
            }
            note(reader.tag, reader.offset, name, values, &parents)
            if reader.hasChildren {
                parents.append(Self.parent(reader.tag, reader.offset, name, in: parents.last))
            }
        }
        while let last = parents.popLast() { end(last) }
        inPlace = inPlace.filter { treatments[$0] != nil }
    }

    private static func parent(
        _ tag: Tag, _ offset: Int, _ name: ByteView, in outer: Parent?
    ) -> Parent {
        var parent = Parent(offset: offset)
        switch tag {
        case .namespace:
            parent.sort = .namespace
            parent.namespace =
                switch outer?.sort == .namespace ? outer?.namespace : nil {
                case .bindings: .bindings
                case .core where Self.equals(name, "ffi"): .coreFFI
                case .core, .coreFFI, .other: .other
                case nil where Self.equals(name, "bindings") || Self.equals(name, "uapi"): .bindings
                case nil where Self.equals(name, "core"): .core
                case nil: .other
                }
        case .structureType, .unionType, .classType: parent.sort = .composite
        case .variantPart: parent.sort = .variants
        default: break
        }
        return parent
    }

    private mutating func note(
        _ tag: Tag, _ offset: Int, _ name: ByteView, _ values: [AttributeValue],
        _ parents: inout [Parent]
    ) {
        let last = parents.indices.last
        func size() -> UInt64? { values.first { $0.attribute == .byteSize }?.value }
        switch tag {
        case .structureType, .unionType, .classType:
            if let last, parents[last].sort == .composite {
                parents[last].composites.append(offset)
            }
            if let last, parents[last].namespace == .bindings {
                treatments[offset] = .binding
                if let name = values.first(where: { $0.attribute == .name }) {
                    bindings[offset] = Binding(name: name, isUnion: tag == .unionType)
                }
            } else if Self.hasArguments(name) {
                treatments[offset] = .generic
            }
        case .templateTypeParameter, .templateValueParameter:
            if let last, parents[last].sort == .composite,
                treatments[parents[last].offset] != .binding
            {
                treatments[parents[last].offset] = .generic
            }
        case .variantPart:
            if let last { parents[last].hasVariants = true }
        case .baseType where size() == 0: treatments[offset] = .void
        case .enumerationType:
            if Self.equals(name, "c_void"), let last, parents[last].namespace == .coreFFI {
                treatments[offset] = .void
            } else if let size = size(), size > 8 || size.nonzeroBitCount != 1 {
                treatments[offset] = .withData
            }
        default: break
        }
        guard tag != .pointerType, tag != .templateTypeParameter else { return }
        for value in values where value.attribute == .type {
            if let target = Int(exactly: value.value) { inPlace.insert(target) }
        }
    }

    /// Whether a type's name is that of a generic one: `Foo<16>`, but not `&[Foo<16>]`.
    private static func hasArguments(_ name: ByteView) -> Bool {
        guard name.count > 1, name[name.count - 1] == UInt8(ascii: ">") else { return false }
        let first = name[0]
        return first >= 0x80 || first == UInt8(ascii: "_")
            || UInt8(ascii: "a") <= first | 0x20 && first | 0x20 <= UInt8(ascii: "z")
    }

    private static func equals(_ name: ByteView, _ word: StaticString) -> Bool {
        name.count == word.utf8CodeUnitCount && name.hasBytes(word)
    }

    /// Notes what the children of an entry say of it.
    private mutating func end(_ parent: Parent) {
        guard parent.sort == .composite, parent.hasVariants else { return }
        if treatments[parent.offset] == nil { treatments[parent.offset] = .withData }
        for offset in parent.composites { treatments[offset] = .alternative }
    }
}
