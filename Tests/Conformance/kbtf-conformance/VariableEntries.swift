// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CDw

/// A variable as one entry of the debug information describes it, read by libdw.
struct VariableEntry {
    let name: String
    /// Where a DW_OP_addr says that it is.
    let address: UInt64
    /// Bytes, by its own DW_AT_type.
    let size: UInt64?
    /// It completes a declaration with the type of an array whose length is left open.
    let isDeclaredWithoutLength: Bool
}

extension LibDW {
    /// The entries of these names at the top of units, those without an address apart.
    func variables(named names: Set<String>) -> [VariableEntry] {
        var found: [VariableEntry] = []
        var offset: Dwarf_Off = 0
        while var unit = unit(at: offset, inTypes: false) {
            var next = unit.entry.firstChild()
            while var entry = next {
                if entry.tag == Int(DW_TAG_variable), entry.has(DW_AT_location),
                    let name = entry.name, names.contains(name), let address = entry.fixedAddress
                {
                    var declaration = entry.target(of: DW_AT_specification)
                    found.append(
                        VariableEntry(
                            name: name, address: address, size: entry.ownTypeSize,
                            isDeclaredWithoutLength: declaration?.isOfOpenLength ?? false))
                }
                next = entry.sibling()
            }
            offset = unit.next
        }
        return found
    }
}

extension LibDWEntry {
    /// What an attribute of this very entry refers to.
    fileprivate mutating func target(of name: Int) -> LibDWEntry? {
        var attribute = unsafe Dwarf_Attribute()
        var found = LibDWEntry()
        // SAFETY: the attribute and the entry are locals.
        guard unsafe dwarf_attr(&raw, UInt32(name), &attribute) != nil,
            unsafe dwarf_formref_die(&attribute, &found.raw) != nil
        else { return nil }
        return found
    }

    /// The address that is all of its location.
    fileprivate var fixedAddress: UInt64? {
        mutating get {
            var attribute = unsafe Dwarf_Attribute()
            var steps: UnsafeMutablePointer<Dwarf_Op>?
            var count = 0
            // SAFETY: what the steps point at lives as long as the handle.
            guard unsafe dwarf_attr(&raw, UInt32(DW_AT_location), &attribute) != nil,
                unsafe dwarf_getlocation(&attribute, &steps, &count) == 0, count == 1,
                let step = unsafe steps?.pointee, Int(step.atom) == Int(DW_OP_addr)
            else { return nil }
            return step.number
        }
    }

    fileprivate var ownTypeSize: UInt64? {
        mutating get {
            guard var type = target(of: DW_AT_type) else { return nil }
            var size: Dwarf_Word = 0
            return unsafe dwarf_aggregate_size(&type.raw, &size) == 0 ? size : nil
        }
    }

    /// Whether its own type is an array, of which a dimension has neither a count nor an end.
    fileprivate var isOfOpenLength: Bool {
        mutating get {
            guard let own = target(of: DW_AT_type) else { return false }
            var raw = unsafe own.raw
            var type = LibDWEntry()
            guard unsafe dwarf_peel_type(&raw, &type.raw) == 0,
                type.tag == Int(DW_TAG_array_type)
            else { return false }
            var next = type.firstChild()
            while var dimension = next {
                if dimension.tag == Int(DW_TAG_subrange_type), !dimension.has(DW_AT_count),
                    !dimension.has(DW_AT_upper_bound)
                {
                    return true
                }
                next = dimension.sibling()
            }
            return false
        }
    }
}
