// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CDw

/// An entry as libdw sees it; of use while its `LibDW` is open.
@safe
struct LibDWEntry {
    // SAFETY: filled by libdw, read by libdw.
    var raw = unsafe Dwarf_Die()

    var offset: Int {
        mutating get { unsafe Int(dwarf_dieoffset(&raw)) }
    }
    var tag: Int {
        mutating get { unsafe Int(dwarf_tag(&raw)) }
    }
    var hasChildren: Bool {
        mutating get {
            let result = unsafe dwarf_haschildren(&raw)
            return result > 0
        }
    }

    mutating func firstChild() -> LibDWEntry? {
        var found = LibDWEntry()
        return unsafe dwarf_child(&raw, &found.raw) == 0 ? found : nil
    }

    mutating func sibling() -> LibDWEntry? {
        var found = LibDWEntry()
        return unsafe dwarf_siblingof(&raw, &found.raw) == 0 ? found : nil
    }

    /// The entry after this one in the order of the file.
    /// - Parameter parents: the entries that this one lies in, outermost first.
    mutating func next(_ parents: inout [LibDWEntry]) -> LibDWEntry? {
        if let child = firstChild() {
            parents.append(self)
            return child
        }
        while !parents.isEmpty {
            if let sibling = sibling() { return sibling }
            self = parents.removeLast()
        }
        return nil
    }
}

/// A unit header as libdw reads it.
struct LibDWUnit {
    var next: Dwarf_Off = 0
    var headerSize = 0
    var version: Dwarf_Half = 0
    var abbreviations: Dwarf_Off = 0
    var addressSize: UInt8 = 0
    var offsetSize: UInt8 = 0
    var signature: UInt64 = 0
    var typeOffset: Dwarf_Off = 0
    /// DW_UT code; made up by libdw before DWARF 5.
    var sort: UInt8 = 0
    var entry = LibDWEntry()
}

extension LibDW {
    /// The unit at `offset` of `.debug_info`, or of `.debug_types`; nil at the end of the section.
    func unit(at offset: Dwarf_Off, inTypes: Bool) -> LibDWUnit? {
        var unit = LibDWUnit()
        // SAFETY: all results are locals; a nil place for the signature asks for `.debug_info`.
        let result =
            unsafe inTypes
            ? dwarf_next_unit(
                dwarf, offset, &unit.next, &unit.headerSize, &unit.version, &unit.abbreviations,
                &unit.addressSize, &unit.offsetSize, &unit.signature, &unit.typeOffset)
            : dwarf_next_unit(
                dwarf, offset, &unit.next, &unit.headerSize, &unit.version, &unit.abbreviations,
                &unit.addressSize, &unit.offsetSize, nil, nil)
        guard result == 0 else { return nil }
        let first = offset + Dwarf_Off(unit.headerSize)
        // SAFETY: the handle is open; the entry is a local.
        let entry =
            unsafe inTypes
            ? dwarf_offdie_types(dwarf, first, &unit.entry.raw)
            : dwarf_offdie(dwarf, first, &unit.entry.raw)
        guard unsafe entry != nil else { return nil }
        if !inTypes {
            var type = LibDWEntry()
            _ = unsafe dwarf_cu_info(
                unit.entry.raw.cu, nil, &unit.sort, nil, &type.raw, &unit.signature, nil, nil)
            if unsafe type.raw.addr != nil { unit.typeOffset = Dwarf_Off(type.offset) }
        }
        return unit
    }
}

/// The attributes of one entry, in declared order.
@safe
struct LibDWAttributes: ~Copyable {
    private static let capacity = 512
    // SAFETY: `capacity` places; the callback below never writes past them.
    private let items = UnsafeMutablePointer<Dwarf_Attribute>.allocate(capacity: capacity)
    private(set) var count = 0

    deinit { unsafe items.deallocate() }

    @safe
    private struct Filling {
        var items: UnsafeMutablePointer<Dwarf_Attribute>
        var count = 0
    }

    /// False when libdw reports an error.
    mutating func read(_ entry: inout LibDWEntry) -> Bool {
        var filling = unsafe Filling(items: items)
        // SAFETY: `filling` outlives the call; the callback gets it back as its argument.
        let result = unsafe withUnsafeMutablePointer(to: &filling) { place in
            unsafe dwarf_getattrs(
                &entry.raw,
                { attribute, argument in
                    let place = unsafe argument!.assumingMemoryBound(to: Filling.self)
                    let count = unsafe place.pointee.count
                    guard count < LibDWAttributes.capacity else { return Int32(DWARF_CB_ABORT) }
                    unsafe place.pointee.items[count] = unsafe attribute!.pointee
                    unsafe place.pointee.count = count + 1
                    return Int32(DWARF_CB_OK)
                }, place, 0)
        }
        count = filling.count
        return result == 1  // what dwarf_getattrs gives at the end
    }

    /// The attribute at `index`, below `count`.
    @unsafe
    func item(_ index: Int) -> UnsafeMutablePointer<Dwarf_Attribute> { unsafe items + index }
}
