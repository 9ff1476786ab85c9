// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

// Entries whose children are all plain, as most are: read in one go and written where they belong.
// Whatever is unusual is left to the general way.
extension UnitEncoder {
    /// A struct or union; false when it must be opened.
    mutating func addPlainComposite(
        _ die: borrowing DIE, name: UInt32, size: UInt32, _ reader: inout EntryReader
    ) throws(DWARFError) -> Bool {
        let before = reader.mark
        let kind: Kind = die.tag == .unionType ? .union : .struct
        if let known = models.find(kind, name: name, size: size),
            addKnownComposite(die, known, &reader, before)
        {
            return true
        }
        guard let shift = readPlain(.member, &reader, before) else { return false }
        let id = types.begin(
            name: name, info: TypeInfo(kind, vlen: children.count), third: size)
        let first = types.position
        var widths: UInt32 = 0
        var farthest: UInt64 = 0
        var isPlain = true
        for index in children.indices {
            let child = children[index]
            let offset = child.bits != 0 ? UInt64(child.bits) : child.number &* 8
            widths |= child.width
            if offset < farthest || child.number >> 32 != 0 { isPlain = false }
            farthest = offset
            guard let name = self.name(of: child) else {
                isPlain = false
                break
            }
            types.append(
                name, child.type == 0 ? 0 : child.type &+ shift,
                UInt32(truncatingIfNeeded: offset) | child.width << 24)
        }
        let limit: UInt64 = widths == 0 ? 0xffff_ffff : 0xff_ffff
        guard isPlain, farthest <= limit, widths <= 255 else {
            takeBack(id)
            reader.reset(to: before)
            return false
        }
        dropStrangeNames(from: first, stride: 3)
        references.wait(first + 1, count: children.count, stride: 3)
        if widths != 0 { types.setFlag(of: id) }
        define(die, as: id)
        models.keep(
            kind, name: name, nameAt: nameOffset(die), size: size, hasBits: widths != 0, children,
            types)
        return true
    }

    /// A struct or union that the models expect next; false when it is not that one.
    mutating func addExpectedComposite(
        _ die: borrowing DIE, size: UInt32, _ reader: inout EntryReader
    ) -> Bool {
        let offset = nameOffset(die)
        guard offset != .max, current.isC,
            let expected = models.guess(
                die.tag == .unionType ? .union : .struct, nameAt: offset, size: size, reader)
        else { return false }
        return addKnownComposite(die, expected, &reader, reader.mark)
    }

    /// Of the name in `.debug_str`; `.max` where it is not there.
    private func nameOffset(_ die: borrowing DIE) -> UInt32 {
        guard die.form(.name) == .strp, !references.links.inAlternate else { return .max }
        return UInt32(exactly: die.value(.name)) ?? .max
    }

    /// A struct or union that differs from one that was read before in its members' types at most.
    private mutating func addKnownComposite(
        _ die: borrowing DIE, _ index: UInt32, _ reader: inout EntryReader,
        _ before: EntryReader.Mark
    ) -> Bool {
        guard !references.links.inAlternate, let shift = UInt32(exactly: unitShift)
        else { return false }
        let model = models[index]
        let id = types.begin(
            name: model.name,
            info: TypeInfo(model.kind, vlen: model.members.count, flag: model.hasBits),
            third: model.size)
        let first = types.position
        var lastType: UInt32 = 0
        guard
            reader.plainMembers(
                like: models.members, model.members, hasBits: model.hasBits, shift: shift,
                into: &types.words, lastType: &lastType)
        else {
            types.removeLast(id)
            return false
        }
        guard isInTable(lastType, shift) else {
            types.removeLast(id)
            reader.reset(to: before)
            return false
        }
        references.wait(first &+ 1, count: model.members.count, stride: 3)
        define(die, as: id)
        models.use(index)
        return true
    }

    /// A function's type; false when it must be opened.
    mutating func addPlainPrototype(
        _ entry: OpenEntry, _ reader: inout EntryReader
    ) throws(DWARFError) -> Bool {
        let before = reader.mark
        guard let shift = readPlain(.formalParameter, &reader, before) else { return false }
        let id = begin(.funcProto, vlen: children.count, to: entry.type)
        let first = types.position
        for index in children.indices {
            let child = children[index]
            guard let name = self.name(of: child) else {
                takeBack(id)
                reader.reset(to: before)
                return false
            }
            types.append(name, child.type == 0 ? 0 : child.type &+ shift)
        }
        dropStrangeNames(from: first, stride: 2)
        references.wait(first + 1, count: children.count, stride: 2)
        define(entry, as: id)
        return true
    }

    /// An enum of at most four bytes; false when it must be opened.
    mutating func addPlainEnum(
        _ entry: OpenEntry, _ reader: inout EntryReader
    ) throws(DWARFError) -> Bool {
        let before = reader.mark
        guard readPlain(.enumerator, &reader, before) != nil else { return false }
        var signs: UInt64 = 0
        for index in children.indices {
            let child = children[index]
            guard let name = self.name(of: child) else {
                scratch.truncate(to: entry.elements)
                reader.reset(to: before)
                return false
            }
            signs |= child.number
            scratch.append(
                name, UInt32(truncatingIfNeeded: child.number),
                UInt32(truncatingIfNeeded: child.number >> 32))
        }
        var entry = entry
        if signs >> 63 != 0 { entry.flag = true }
        finishEnum(entry)
        scratch.truncate(to: entry.elements)
        return true
    }

    /// Reads all children of the entry just given into `children`.
    ///
    /// - Returns: the difference between offsets in the unit and places in the table; nil if some
    ///   child is not plain, or there are more children than a record can have.
    private mutating func readPlain(
        _ tag: Tag, _ reader: inout EntryReader, _ before: EntryReader.Mark
    ) -> UInt32? {
        guard !references.links.inAlternate else { return nil }
        var lastType: UInt32 = 0
        guard reader.plainChildren(tag, into: &children, lastType: &lastType) else { return nil }
        guard children.count < Self.maxElements, let shift = UInt32(exactly: unitShift),
            isInTable(lastType, shift)
        else {
            reader.reset(to: before)
            return nil
        }
        return shift
    }

    /// The difference between offsets in the unit and places in the table.
    private var unitShift: Int { references.slot(current.unit.offset) }

    /// Whether all types up to this offset of the unit lie in the table.
    private func isInTable(_ lastType: UInt32, _ shift: UInt32) -> Bool {
        // References are sums of 32 bits.
        Int(lastType) + Int(shift) < min(references.count, Int(UInt32.max))
    }

    /// nil if it cannot be read: the general path then reports why.
    @inline(__always)
    private mutating func name(of child: PlainChild) -> UInt32? {
        if child.name != .max {
            return knownNames.find(child.name) ?? newPlainName(child.name)
        }
        guard child.shortName != 0 else { return 0 }
        return knownNames.findShort(child.shortName) ?? newShortName(child.shortName)
    }

    private mutating func newPlainName(_ offset: UInt32) -> UInt32? {
        if !references.links.inAlternate,
            let name = try? newName(at: offset, current.unit.offset)
        {
            return name
        }
        return try? newName(StringPlace(section: .str, offset: Int(offset)), current.unit.offset)
    }

    private mutating func newShortName(_ key: UInt64) -> UInt32? {
        var bytes: [UInt8] = []
        for shift in stride(from: UInt64(48), through: 0, by: -8) {
            let byte = UInt8(truncatingIfNeeded: key >> shift)
            if byte != 0 { bytes.append(byte) }
        }
        context.strangeNames.look(at: ByteView(bytes))
        guard let name = withBytes(bytes, { context.names.intern($0) }) else { return nil }
        knownNames.store(name, short: key)
        return name
    }

    /// Takes back the record of `id`, the last one, and what waits for its references.
    mutating func takeBack(_ id: UInt32) {
        types.removeLast(id)
        references.takeBack(to: types.position)
    }
}
