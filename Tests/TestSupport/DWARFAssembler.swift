// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import DWARF

/// How a unit is written.
package struct DWARFFlavor: Hashable, Sendable, CustomStringConvertible {
    package var version: UInt16
    /// 64-bit DWARF, not the address size.
    package var is64Bit: Bool
    package var bigEndian: Bool
    package var addressSize: UInt8

    package init(
        version: UInt16 = 5, is64Bit: Bool = false, bigEndian: Bool = false, addressSize: UInt8 = 8
    ) {
        self.version = version
        self.is64Bit = is64Bit
        self.bigEndian = bigEndian
        self.addressSize = addressSize
    }

    /// Versions 2 to 5, both offset sizes, both byte orders, both address sizes.
    package static let all: [DWARFFlavor] = (2...5).flatMap { version in
        [(false, false), (false, true), (true, false), (true, true)].flatMap { wide, big in
            [4, 8].map {
                DWARFFlavor(
                    version: UInt16(version), is64Bit: wide, bigEndian: big, addressSize: $0)
            }
        }
    }

    package var description: String {
        "DWARF \(version) \(is64Bit ? 64 : 32)-bit \(bigEndian ? "big" : "little")-endian"
            + " addresses of \(addressSize)"
    }
}

/// An attribute as an entry carries it.
package struct DWARFAttribute: Sendable {
    package indirect enum Value: Sendable {
        /// Written as the form says; only the low bytes that fit.
        case number(UInt64)
        case signed(Int64)
        /// Goes into the entry, or into the string section that the form names.
        case text(String)
        case bytes([UInt8])
        /// The entry with this label, here or later.
        case entry(String)
        /// DW_FORM_indirect: this form, then its value.
        case indirect(Form, Value)
    }

    package let attribute: Attribute
    package let form: Form
    package let value: Value

    package init(_ attribute: Attribute, _ form: Form, _ value: Value) {
        self.attribute = attribute
        self.form = form
        self.value = value
    }
}

/// Puts debug sections together from literals.
///
///     var asm = DWARFAssembler(DWARFFlavor(version: 4))
///     asm.unit([.name("a.c")]) { unit in
///         unit.add(.baseType, "int", [.name("int"), .byteSize(4), .encoding(5)])
///         unit.add(.structureType, "s", [.name("s"), .byteSize(4)]) { unit in
///             unit.add(.member, [.name("x"), .type("int"), .memberOffset(0)])
///         }
///     }
///     let data = try DWARFData(ELFFile(ByteView(asm.image().bytes()), path: "test"))
///
/// Labels are shared by all units. Nothing is checked, so that broken sections can be made as well.
package struct DWARFAssembler {
    package var flavor: DWARFFlavor
    /// Abbreviation codes are multiples of this.
    package var codeStep: UInt64 = 1
    /// Each unit gets a table of abbreviations of its own.
    package var splitsAbbreviations = false
    package var info: [UInt8] = []
    package var types: [UInt8] = []
    package var loclists: [UInt8] = []
    package var loc: [UInt8] = []
    package private(set) var abbrev: [UInt8] = []
    package private(set) var str: [UInt8] = [0]
    package private(set) var lineStr: [UInt8] = [0]
    package private(set) var strOffsets: [UInt8] = []
    /// Where each labelled entry begins in its section.
    package private(set) var offsets: [String: Int] = [:]
    /// Where each unit begins in its section.
    package private(set) var unitOffsets: [Int] = []

    private var codes: [[UInt64]: UInt64] = [:]
    private var tableStart = 0
    private var texts: [String: Int] = [:]
    private var lineTexts: [String: Int] = [:]
    private var indexes: [String: UInt64] = [:]
    private var inTypes = false
    private var unitStart = 0
    private var fixups: [Fixup] = []

    /// A place that gets an entry's offset once all are known.
    private struct Fixup {
        let place: Int
        let form: Form
        let label: String
        let unitStart: Int
        let inTypes: Bool
        let flavor: DWARFFlavor
    }

    package init(_ flavor: DWARFFlavor = DWARFFlavor()) { self.flavor = flavor }

    private var out: [UInt8] {
        get { inTypes ? types : info }
        // In place: a setter would copy the section for every value.
        _modify { if inTypes { yield &types } else { yield &info } }
    }

    /// Bytes so far in the section under way.
    package var position: Int { inTypes ? types.count : info.count }

    // MARK: Units and entries

    /// Adds a unit whose own entry has these attributes.
    ///
    /// - Parameters:
    ///   - sort: written from DWARF 5 on; type units go to `.debug_types` before.
    ///   - typeLabel: for type units, the entry that is the type.
    package mutating func unit(
        _ attributes: [DWARFAttribute] = [], sort: Unit.Sort = .compile, signature: UInt64 = 0,
        typeLabel: String = "", _ body: (inout DWARFAssembler) -> Void = { _ in }
    ) {
        inTypes = sort == .type && flavor.version < 5
        unitStart = position
        unitOffsets.append(unitStart)
        if splitsAbbreviations || codes.isEmpty {
            if !abbrev.isEmpty { abbrev.append(0) }
            codes = [:]
            tableStart = abbrev.count
        }
        if flavor.is64Bit { append(0xffff_ffff, 4) }
        let lengthAt = position
        append(0, offsetSize)
        append(UInt64(flavor.version), 2)
        if flavor.version >= 5 {
            append(UInt64(sort.rawValue), 1)
            append(UInt64(flavor.addressSize), 1)
            append(UInt64(tableStart), offsetSize)
        } else {
            append(UInt64(tableStart), offsetSize)
            append(UInt64(flavor.addressSize), 1)
        }
        switch sort {
        case .type, .splitType:
            append(signature, 8)
            addFixup(form: .secOffset, typeLabel, size: offsetSize)
        case .skeleton, .splitCompile:
            if flavor.version >= 5 { append(signature, 8) }
        case .compile, .partial: break
        }
        let tag: Tag =
            switch sort {
            case .type, .splitType: .typeUnit
            case .partial: .partialUnit
            case .skeleton: .skeletonUnit
            case .compile, .splitCompile: .compileUnit
            }
        add(tag, nil, attributes, body)
        let length = position - lengthAt - offsetSize
        let bytes = number(UInt64(length), offsetSize)
        if inTypes {
            types.replaceSubrange(lengthAt..<lengthAt + offsetSize, with: bytes)
        } else {
            info.replaceSubrange(lengthAt..<lengthAt + offsetSize, with: bytes)
        }
    }

    /// Adds an entry with the children that `body` adds, if any.
    package mutating func add(
        _ tag: Tag, _ label: String? = nil, _ attributes: [DWARFAttribute] = [],
        _ body: (inout DWARFAssembler) -> Void
    ) {
        begin(tag, label, attributes)
        body(&self)
        end()
    }

    /// Adds an entry without children.
    package mutating func add(
        _ tag: Tag, _ label: String? = nil, _ attributes: [DWARFAttribute] = []
    ) {
        entry(tag, label, hasChildren: false, attributes)
    }

    package mutating func add(_ tag: Tag, _ attributes: [DWARFAttribute]) {
        add(tag, nil, attributes)
    }

    package mutating func add(
        _ tag: Tag, _ attributes: [DWARFAttribute], _ body: (inout DWARFAssembler) -> Void
    ) {
        add(tag, nil, attributes, body)
    }

    /// Opens an entry; what follows are its children, up to `end`.
    package mutating func begin(
        _ tag: Tag, _ label: String? = nil, _ attributes: [DWARFAttribute] = []
    ) {
        entry(tag, label, hasChildren: true, attributes)
    }

    package mutating func end() { append(0, 1) }

    private mutating func entry(
        _ tag: Tag, _ label: String?, hasChildren: Bool, _ attributes: [DWARFAttribute]
    ) {
        if let label { offsets[label] = position }
        append(contentsOf: uleb(code(tag, hasChildren, attributes)))
        for attribute in attributes { put(attribute.form, attribute.value) }
    }

    /// The code of the abbreviation, declared when it is new.
    private mutating func code(
        _ tag: Tag, _ hasChildren: Bool, _ attributes: [DWARFAttribute]
    ) -> UInt64 {
        var key: [UInt64] = [UInt64(tag.rawValue), hasChildren ? 1 : 0]
        var declaration = uleb(UInt64(tag.rawValue)) + [hasChildren ? 1 : 0]
        for attribute in attributes {
            key += [UInt64(attribute.attribute.rawValue), UInt64(attribute.form.rawValue)]
            declaration += uleb(UInt64(attribute.attribute.rawValue))
            declaration += uleb(UInt64(attribute.form.rawValue))
            if attribute.form == .implicitConst {
                var value: Int64 = 0
                if case .signed(let number) = attribute.value { value = number }
                if case .number(let number) = attribute.value { value = Int64(bitPattern: number) }
                key.append(UInt64(bitPattern: value))
                declaration += sleb(value)
            }
        }
        if let known = codes[key] { return known }
        let code = UInt64(codes.count + 1) * codeStep
        codes[key] = code
        abbrev += uleb(code) + declaration + [0, 0]
        return code
    }

    /// The abbreviations, ended.
    package var finishedAbbrev: [UInt8] { abbrev + [0] }

    // MARK: Bytes

    package var offsetSize: Int { flavor.is64Bit ? 8 : 4 }

    /// `value` in `size` bytes of the flavor's order.
    package func number(_ value: UInt64, _ size: Int) -> [UInt8] {
        (0..<size).map {
            let shift = 8 * (flavor.bigEndian ? size - 1 - $0 : $0)
            return shift > 63 ? 0 : UInt8(truncatingIfNeeded: value >> UInt64(shift))
        }
    }

    package mutating func append(_ value: UInt64, _ size: Int) {
        append(contentsOf: number(value, size))
    }

    package mutating func append(contentsOf bytes: [UInt8]) {
        if inTypes { types += bytes } else { info += bytes }
    }

    mutating func addFixup(form: Form, _ label: String, size: Int) {
        fixups.append(
            Fixup(
                place: position, form: form, label: label, unitStart: unitStart, inTypes: inTypes,
                flavor: flavor))
        append(contentsOf: [UInt8](repeating: 0, count: size))
    }

    /// `.debug_info` and `.debug_types` with all references in place; unknown labels stay 0.
    package func resolved() -> (info: [UInt8], types: [UInt8]) {
        var copy = self
        for fixup in fixups {
            guard let target = offsets[fixup.label] else { continue }
            copy.flavor = fixup.flavor
            let relative = UInt64(target - fixup.unitStart)
            let bytes: [UInt8] =
                switch fixup.form {
                case .ref1: number(relative, 1)
                case .ref2: copy.number(relative, 2)
                case .ref4: copy.number(relative, 4)
                case .ref8: copy.number(relative, 8)
                case .refUdata: paddedULEB(relative)
                case .refAddr where fixup.flavor.version <= 2:
                    copy.number(UInt64(target), Int(fixup.flavor.addressSize))
                case .secOffset: copy.number(relative, copy.offsetSize)
                default: copy.number(UInt64(target), copy.offsetSize)
                }
            let range = fixup.place..<fixup.place + bytes.count
            if fixup.inTypes {
                copy.types.replaceSubrange(range, with: bytes)
            } else {
                copy.info.replaceSubrange(range, with: bytes)
            }
        }
        return (copy.info, copy.types)
    }
}

// MARK: Strings

extension DWARFAssembler {
    /// Offset in `.debug_str`, added when new.
    package mutating func string(_ text: String) -> UInt64 {
        if let known = texts[text] { return UInt64(known) }
        texts[text] = str.count
        str += Array(text.utf8) + [0]
        return UInt64(texts[text]!)
    }

    mutating func lineString(_ text: String) -> UInt64 {
        if let known = lineTexts[text] { return UInt64(known) }
        lineTexts[text] = lineStr.count
        lineStr += Array(text.utf8) + [0]
        return UInt64(lineTexts[text]!)
    }

    /// Index in `.debug_str_offsets`, whose header is written with the first one (DWARF 5 section
    /// 7.26).
    mutating func stringIndex(_ text: String) -> UInt64 {
        if let known = indexes[text] { return known }
        if strOffsets.isEmpty {
            if flavor.is64Bit { strOffsets += number(0xffff_ffff, 4) }
            strOffsets += number(0, offsetSize) + number(5, 2) + number(0, 2)
        }
        let index = UInt64(indexes.count)
        indexes[text] = index
        strOffsets += number(string(text), offsetSize)
        return index
    }
}
