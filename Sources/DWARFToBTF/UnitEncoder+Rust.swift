// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

// Units in Rust: what C has as well is encoded, with C's names where Rust's mean something else to
// C, and all else is opaque. docs/encoding.md has the rules.
extension UnitEncoder {
    /// Reads the entries of a Rust unit.
    ///
    /// - Parameter reader: stands behind the unit's own entry.
    mutating func walkRust(
        _ unit: Unit, _ table: AbbreviationTable, _ reader: inout EntryReader, _ die: inout DIE,
        inTypes: Bool
    ) throws(DWARFError) {
        var first = try data.entries(of: unit, table: table, inTypes: inTypes)
        current.rust = try RustEntries(&first) { value, offset throws(DWARFError) in
            try start(of: value, offset)
        }
        let before = types.count
        defer { rustTypes.append(before..<types.count) }
        var filter = EntryFilter(variables: context.wantsVariables)
        while try reader.next(into: &die, filter) {
            while open.depth >= reader.outermost { try close() }
            try visitRust(die, &reader)
            filter.open = open.depths
            filter.hidden = open.hidden
        }
        while !open.isEmpty { try close() }
    }

    /// The first bytes of a string, as many as names that matter have.
    private func start(of value: AttributeValue, _ die: Int) throws(DWARFError) -> ByteView {
        let place = try place(of: value, die)
        let section = data.bytes(of: place.section)
        guard let bytes = section.slice(place.offset, min(512, section.count - place.offset)) else {
            throw fail(die, "name lies outside of its section")
        }
        return bytes.firstIndex(of: 0).flatMap { bytes.slice(0, $0) } ?? bytes
    }

    private mutating func visitRust(
        _ die: borrowing DIE, _ reader: inout EntryReader
    ) throws(DWARFError) {
        switch die.tag {
        case .structureType, .unionType, .classType, .enumerationType:
            guard let treatment = current.rust?.treatments[die.offset] else { break }
            return try addOpaque(die, treatment)
        case .baseType: return try addRustBaseType(die)
        case .pointerType: return try addRustPointer(die)
        case .subprogram:
            try openFunction(die)
            if let linkage = current.rust?.linkageNames[die.offset] {
                let name = try newName(place(of: linkage, die.offset), die.offset)
                declared.setSymbol(name, ofFunction: declared.functions.count - 1)
            }
            return
        case .variable:
            // Statics without a linkage name have one of their own.
            if let linkage = current.rust?.linkageNames[die.offset] {
                if !open.areInFunction, context.sections != nil {
                    let name = try newName(place(of: linkage, die.offset), die.offset)
                    note(name, .mangledName)
                }
                return
            }
        default: break
        }
        try visit(die, &reader)
    }

    private func place(of value: AttributeValue, _ die: Int) throws(DWARFError) -> StringPlace {
        try data.place(
            of: value.value, form: value.form, unit: current.unit,
            strOffsetsBase: current.strOffsetsBase, inTypes: current.inTypes, at: die)
    }

    /// A type that BTF does not describe: of the right size where something consists of it.
    private mutating func addOpaque(
        _ die: borrowing DIE, _ treatment: RustEntries.Treatment
    ) throws(DWARFError) {
        let isInPlace =
            references.links.isShared || current.rust?.inPlace.contains(die.offset) == true
        var name: UInt32 = 0
        switch treatment {
        case .alternative: return aliasToVoid(die)
        case .void, .binding:
            // The name is C's.
            guard isInPlace else { return aliasToVoid(die) }
        case .generic:
            note(try self.name(die, .name), .genericType)
        case .withData:
            name = try self.name(die, .name)
            note(name, .enumWithData)
            if !isAccepted(name) { name = 0 }
        }
        guard let size = UInt32(exactly: die.value(.byteSize)) else {
            note(name, .inexpressibleLayout)
            return aliasToVoid(die)
        }
        let kind: Kind = die.tag == .unionType ? .union : .struct
        define(die, as: types.begin(name: name, info: TypeInfo(kind, vlen: 0), third: size))
    }

    private mutating func addRustPointer(_ die: borrowing DIE) throws(DWARFError) {
        guard die.has(.type), let target = Int(exactly: die.value(.type)) else {
            return try addReferring(die)
        }
        switch current.rust?.treatments[target] {
        case .void: define(die, as: types.add(.ptr, third: 0))
        case .binding:
            let declaration = try declaration(of: target)
            define(die, as: types.add(.ptr, third: declaration))
        default: try addReferring(die)
        }
    }

    /// A declaration of the C type that bindgen has translated; 0, void, if it has no name.
    private mutating func declaration(of offset: Int) throws(DWARFError) -> UInt32 {
        guard let binding = current.rust?.bindings[offset] else { return 0 }
        if let known = binding.declaration { return known }
        let name = acceptedName(try newName(place(of: binding.name, offset), offset))
        guard name != 0 else { return 0 }
        note(name, .translatedType)
        let id = types.add(.fwd, name: name, third: 0, flag: binding.isUnion)
        current.rust?.declare(offset, as: id)
        return id
    }

    /// A number: an INT or FLOAT with C's name for it. Rust's `char` is not C's, and `usize` is
    /// not a word there.
    private mutating func addRustBaseType(_ die: borrowing DIE) throws(DWARFError) {
        let size = die.value(.byteSize)
        if size == 0 {
            // `()` in place.
            return define(die, as: types.begin(name: 0, info: TypeInfo(.struct, vlen: 0), third: 0))
        }
        let name = context.names.bytes(of: try self.name(die, .name, hasWords: true))
        guard size <= 16, let number = RustNumber(String(decoding: name, as: UTF8.self)) else {
            return try addBaseType(die)
        }
        let word = context.names.intern(number.name)
        if number.isFloat, features.contains(.float) {
            return define(die, as: types.add(.float, name: word, third: UInt32(size)))
        }
        if number.isFloat { note(word, .floatAsInteger) }
        let id = types.addInt(
            name: word, size: UInt32(size), encoding: number.encoding, bits: UInt32(size) * 8)
        define(die, as: id)
        if word == context.intName { references.found(int: id) }
    }
}

/// A number type of Rust, as GCC names it in C.
private struct RustNumber {
    let name: String
    var encoding: UInt32 = 0
    var isFloat = false

    /// nil for names that Rust has not.
    init?(_ rust: String) {
        switch rust {
        case "u8": name = "unsigned char"
        case "u16": name = "short unsigned int"
        case "u32", "char": name = "unsigned int"
        case "u64": name = "long long unsigned int"
        case "usize": name = "long unsigned int"
        case "u128": name = "__int128 unsigned"
        case "i8": (name, encoding) = ("signed char", IntEncoding.signed)
        case "i16": (name, encoding) = ("short int", IntEncoding.signed)
        case "i32": (name, encoding) = ("int", IntEncoding.signed)
        case "i64": (name, encoding) = ("long long int", IntEncoding.signed)
        case "isize": (name, encoding) = ("long int", IntEncoding.signed)
        case "i128": (name, encoding) = ("__int128", IntEncoding.signed)
        case "bool": (name, encoding) = ("_Bool", IntEncoding.bool)
        case "f16": (name, isFloat) = ("_Float16", true)
        case "f32": (name, isFloat) = ("float", true)
        case "f64": (name, isFloat) = ("double", true)
        case "f128": (name, isFloat) = ("_Float128", true)
        default: return nil
        }
    }
}

// MARK: When all entries are read

extension UnitEncoder {
    /// Makes arrays without length of members beyond the end of their struct: of the slice that an
    /// unsized type ends in, rustc writes the first element.
    mutating func widenUnsizedTails() {
        for range in rustTypes {
            for number in range {
                let id = UInt32(number) | TypeWriter.unstored
                let info = types.info(id)
                guard info.kind == .struct, info.vlen > 0 else { continue }
                let last = 3 + 3 * (info.vlen - 1)
                let type = types.word(id, last + 1)
                let end = UInt64(types.word(id, last + 2)) + 8 * storageSize(type)
                guard end > 8 * UInt64(types.word(id, 2)) else { continue }
                let array = types.addArray(element: type, index: 0, count: 0)
                references.waitForInt(types.position - 2)
                types[types.start(id) + last + 1] = array
            }
        }
        if !rustTypes.isEmpty { references.resolveIndexes(in: &types) }
    }

    /// Bytes of a type; 0 if it has none.
    private func storageSize(_ id: UInt32) -> UInt64 {
        var id = id
        var count: UInt64 = 1
        for _ in 0..<32 where TypeWriter.isUnstored(id) {
            let size: UInt64
            switch types.info(id).kind {
            case .array:
                count =
                    count.multipliedReportingOverflow(by: UInt64(types.word(id, 5))).partialValue
                id = types.word(id, 3)
                continue
            case .ptr: size = UInt64(current.unit.encoding.addressSize)
            case .int, .enum, .enum64, .float, .struct, .union: size = UInt64(types.word(id, 2))
            default: return 0
            }
            let (bytes, overflow) = size.multipliedReportingOverflow(by: count)
            return overflow || bytes >> 60 != 0 ? 0 : bytes
        }
        return 0
    }
}

// MARK: Functions

extension UnitEncoder {
    /// Whether a function's symbol has another name than its source.
    func isMangled(_ index: Int) -> Bool { entry(of: index) { $0.isMangled } }

    /// Whether Rust's own calling convention, which the DWARF does not tell from C's, treats a
    /// parameter or result as C's does.
    ///
    /// - Parameter word: bytes of a register.
    func isPassedAsInC(_ id: UInt32, word: UInt32) -> Bool {
        guard TypeWriter.isUnstored(id) else { return false }
        switch types.info(id).kind {
        case .ptr: return true
        case .int, .enum, .enum64: return types.word(id, 2) <= word
        default: return false
        }
    }
}
