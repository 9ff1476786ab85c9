// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CDw

/// A function as one entry of the debug information describes it, read by libdw.
struct FunctionEntryText {
    let name: String
    /// DW_AT_low_pc.
    let address: UInt64?
    /// Where the first of DW_AT_ranges begins.
    let firstRange: UInt64?
    /// As `PrototypeText` writes it; nil when it has no words for a type.
    let prototype: String?
}

extension LibDW {
    /// The entries for functions of these names, declarations apart.
    func functions(named names: Set<String>) -> [FunctionEntryText] {
        var found: [FunctionEntryText] = []
        var offset: Dwarf_Off = 0
        while var unit = unit(at: offset, inTypes: false) {
            var next = unit.entry.firstChild()
            while var entry = next {
                if entry.tag == Int(DW_TAG_subprogram), let name = entry.name,
                    names.contains(name), !entry.has(DW_AT_declaration)
                {
                    found.append(
                        FunctionEntryText(
                            name: name, address: entry.address, firstRange: entry.firstRange,
                            prototype: PrototypeText.of(&entry)))
                }
                next = entry.sibling()
            }
            offset = unit.next
        }
        return found
    }
}

extension LibDWEntry {
    /// Its own or its origin's.
    var name: String? {
        mutating get {
            guard let text = unsafe dwarf_diename(&raw) else { return nil }
            return unsafe String(cString: text)
        }
    }

    mutating func has(_ attribute: Int) -> Bool {
        unsafe dwarf_hasattr(&raw, UInt32(attribute)) != 0
    }

    var address: UInt64? {
        mutating get {
            var address: Dwarf_Addr = 0
            return unsafe dwarf_lowpc(&raw, &address) == 0 ? address : nil
        }
    }

    var firstRange: UInt64? {
        mutating get {
            guard has(DW_AT_ranges) else { return nil }
            var base: Dwarf_Addr = 0
            var start: Dwarf_Addr = 0
            var end: Dwarf_Addr = 0
            return unsafe dwarf_ranges(&raw, 0, &base, &start, &end) > 0 ? start : nil
        }
    }

    /// What its DW_AT_type refers to, or its origin's; nil for void.
    mutating func type() -> LibDWEntry? {
        var attribute = unsafe Dwarf_Attribute()
        var found = LibDWEntry()
        // SAFETY: the attribute and the entry are locals.
        guard unsafe dwarf_attr_integrate(&raw, UInt32(DW_AT_type), &attribute) != nil,
            unsafe dwarf_formref_die(&attribute, &found.raw) != nil
        else { return nil }
        return found
    }
}
