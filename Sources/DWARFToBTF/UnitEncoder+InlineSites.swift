// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF
internal import ELF

// Inlined calls (DW_TAG_inlined_subroutine). They are read in a second walk over each unit, once
// all entries that they may refer to are known: encoding without them does not pay for them.

/// A unit to walk again.
struct SiteUnit {
    let unit: Unit
    let table: AbbreviationTable
    /// Index into `UnitEncoder.contexts`.
    let context: Int
    /// Of the skeleton, in a `.dwo` file.
    let codeBase: UInt64?
    // Where its entries stand in the offset table.
    let origin: Int
    let sectionBase: Int
    let addressedBase: Int
}

/// A function as inlined calls name it.
struct InlinedFunction {
    let name: UInt32
    /// FUNC_PROTO.
    let prototype: UInt32
    /// Of each parameter.
    let sizes: [UInt32]
    let areSigned: [Bool]
    let isVariadic: Bool
    let firstParameter: UInt32
}

/// What the walk over a unit keeps.
private struct SiteWalk {
    let unit: ExpressionUnit
    let rnglistsBase: UInt64
    let sections: CodeSections
    let context: Int
    /// Calls whose children come next, each inside the one before.
    var open: [OpenSite] = []
}

private struct OpenSite {
    let depth: Int
    let function: InlinedFunction
    let address: UInt64
    let section: SectionMap.Entry
    /// LOC_PARAM ids; 0 for none.
    var places: [UInt32]
}

extension UnitEncoder {
    /// Parameters of a function whose calls are described. Compilers must take 127; every call
    /// has a word for each.
    private static var mostParameters: Int { 127 }

    /// Takes down the inlined calls of the units just read.
    mutating func collectInlineSites(_ sections: CodeSections) throws(DWARFError) {
        let (data, origin, sectionBase, addressedBase) =
            (data, references.origin, references.sectionBase, references.links.addressedBase)
        var functions: [UInt32: InlinedFunction?] = [:]
        var records: [[UInt32]: UInt32] = [:]
        for unit in siteUnits {
            self.data = contexts[unit.context].data
            references.origin = unit.origin
            references.sectionBase = unit.sectionBase
            references.links.addressedBase = unit.addressedBase
            current.begin(unit.unit, inTypes: false, isSplit: self.data.isSplit)
            try collectInlineSites(of: unit, sections, &functions, &records)
        }
        siteUnits.removeAll(keepingCapacity: true)
        self.data = data
        references.origin = origin
        references.sectionBase = sectionBase
        references.links.addressedBase = addressedBase
    }

    private mutating func collectInlineSites(
        of unit: SiteUnit, _ sections: CodeSections, _ functions: inout [UInt32: InlinedFunction?],
        _ records: inout [[UInt32]: UInt32]
    ) throws(DWARFError) {
        var reader = try data.entries(of: unit.unit, table: unit.table)
        var die = DIE()
        var values: [AttributeValue] = []
        guard try reader.advance() else { return }
        try reader.readAll(into: &values)
        var walk = siteWalk(unit, values, sections)
        /// Depth of the outermost function with code that is open.
        var code = Int.max
        while try reader.advance() {
            while let last = walk.open.last, reader.depth <= last.depth {
                finishSite(walk, &records)
                walk.open.removeLast()
            }
            if reader.depth <= code { code = .max }
            guard code < .max else {
                try reader.decode(into: &die)
                switch reader.tag {
                case .subprogram where die.has(.lowPC) || die.has(.ranges): code = reader.depth
                case .namespace: break
                default: try reader.skipChildren(of: die)
                }
                continue
            }
            switch reader.tag {
            case .inlinedSubroutine:
                try reader.readAll(into: &values)
                if let site = try site(values, depth: reader.depth, walk, &functions) {
                    walk.open.append(site)
                }
            case .formalParameter:
                guard let last = walk.open.last, reader.depth == last.depth + 1 else {
                    try reader.skipAttributes()
                    continue
                }
                try reader.readAll(into: &values)
                try takeParameter(values, &walk, &records)
            default:
                try reader.skipAttributes()
            }
        }
        while !walk.open.isEmpty {
            finishSite(walk, &records)
            walk.open.removeLast()
        }
    }

    private func siteWalk(
        _ unit: SiteUnit, _ root: [AttributeValue], _ sections: CodeSections
    ) -> SiteWalk {
        let context = contexts[unit.context]
        let encoding = unit.unit.encoding
        var base = unit.codeBase
        // In a .dwo file of DWARF 5 the lists follow a header.
        var rnglistsBase: UInt64 = data.isSplit ? (encoding.is64Bit ? 20 : 12) : 0
        for value in root {
            switch value.attribute {
            case .lowPc:
                base = data.address(
                    value.value, form: value.form, unit: unit.unit, addrBase: context.addrBase)
            case .rnglistsBase: rnglistsBase = value.value
            default: break
            }
        }
        return SiteWalk(
            unit: ExpressionUnit(
                unit: unit.unit, loclistsBase: context.loclistsBase, addrBase: context.addrBase,
                base: base),
            rnglistsBase: rnglistsBase, sections: sections, context: unit.context)
    }

    // MARK: A call

    /// The call that an entry describes; nil, with a note, if it is left out.
    private mutating func site(
        _ values: [AttributeValue], depth: Int, _ walk: SiteWalk,
        _ functions: inout [UInt32: InlinedFunction?]
    ) throws(DWARFError) -> OpenSite? {
        guard let origin = values.first(where: { $0.attribute == .abstractOrigin }),
            let target = references.target(origin.value, form: origin.form),
            case .function(let index) = references.get(target)
        else {
            note(0, .inlineSite, in: contexts[walk.context])
            return nil
        }
        let function: InlinedFunction?
        if let known = functions[index] {
            function = known
        } else {
            function = try inlinedFunction(Int(index))
            functions[index] = .some(function)
        }
        guard let function else { return nil }
        guard
            let address = CodeAttributes(values).entry(
                data, walk.unit, rnglistsBase: walk.rnglistsBase),
            let section = walk.sections.find(address),
            address - section.address <= UInt64(UInt32.max)
        else {
            note(function.name, .inlineSite, in: contexts[walk.context])
            return nil
        }
        let count = function.sizes.count + (function.isVariadic ? 1 : 0)
        return OpenSite(
            depth: depth, function: function, address: address, section: section,
            places: Array(repeating: 0, count: count))
    }

    /// Name and prototype of the function that calls with this origin inline; nil, with a note, if
    /// BTF cannot describe it.
    private mutating func inlinedFunction(_ index: Int) throws(DWARFError) -> InlinedFunction? {
        let function = declared.functions[index]
        let unit = contexts[Int(function.context)]
        let definition = definition(of: index)
        guard definition.name != 0 else {
            note(0, .unnamedFunction, in: unit)
            return nil
        }
        guard isAccepted(definition.name) else {
            note(definition.name, .invalidName, in: unit)
            return nil
        }
        let count = Int(function.parameterCount)
        guard count <= Self.mostParameters else {
            note(definition.name, .tooManyElements, in: unit)
            return nil
        }
        var parameters: [(name: UInt32, type: UInt32)] = []
        var sizes: [UInt32] = []
        var areSigned: [Bool] = []
        let first = Int(function.firstParameter)
        for value in first..<first + count {
            let parameter = try parameter(value)
            guard parameter.name != 0, isAccepted(parameter.name) else {
                note(
                    definition.name, parameter.name == 0 ? .unnamedParameter : .invalidName,
                    in: unit)
                return nil
            }
            parameters.append(parameter)
            let shape = valueShape(
                parameter.type, word: UInt32(unit.unit.encoding.addressSize))
            sizes.append(shape.size)
            areSigned.append(shape.isSigned)
        }
        let prototype = types.begin(
            name: 0, info: TypeInfo(.funcProto, vlen: count + (function.isVariadic ? 1 : 0)),
            third: try typeID(definition.returns))
        for parameter in parameters { types.append(parameter.name, parameter.type) }
        if function.isVariadic { types.append(0, 0) }
        return InlinedFunction(
            name: definition.name, prototype: prototype, sizes: sizes, areSigned: areSigned,
            isVariadic: function.isVariadic, firstParameter: function.firstParameter)
    }

    /// Bytes of a parameter's value, 0 if unknown, and whether it is a signed number.
    private func valueShape(_ id: UInt32, word: UInt32) -> (size: UInt32, isSigned: Bool) {
        var id = id
        for _ in 0..<32 where TypeWriter.isUnstored(id) {
            let info = types.info(id)
            switch info.kind {
            case .const, .volatile, .restrict, .typedef, .typeTag: id = types.word(id, 2)
            case .int:
                return (types.word(id, 2), types.word(id, 3) >> 24 & IntEncoding.signed != 0)
            case .enum, .enum64: return (types.word(id, 2), info.flag)
            case .ptr: return (word, false)
            case .float, .struct, .union: return (types.word(id, 2), false)
            default: return (0, false)
            }
        }
        return (0, false)
    }

    private mutating func finishSite(_ walk: SiteWalk, _ records: inout [[UInt32]: UInt32]) {
        guard let site = walk.open.last else { return }
        findings.inlineSites.append(
            .init(
                name: site.function.name, prototype: site.function.prototype,
                places: record(.locProto, third: 0, site.places, &records),
                section: site.section,
                offset: UInt32(truncatingIfNeeded: site.address - site.section.address),
                unit: context.keepsLedger ? contexts[walk.context].name : ""))
    }

    /// The record with these words after the third; every one exists once.
    private mutating func record(
        _ kind: Kind, third: UInt32, _ words: [UInt32], _ records: inout [[UInt32]: UInt32]
    ) -> UInt32 {
        let key = [UInt32(kind.rawValue), third] + words
        if let known = records[key] { return known }
        // The first word of a LOC_PARAM is not an element.
        let count = kind == .locParam ? words.count - 1 : words.count
        let id = types.begin(name: 0, info: TypeInfo(kind, vlen: count), third: third)
        for word in words { types.append(word) }
        records[key] = id
        return id
    }

    // MARK: Its parameters

    private mutating func takeParameter(
        _ values: [AttributeValue], _ walk: inout SiteWalk,
        _ records: inout [[UInt32]: UInt32]
    ) throws(DWARFError) {
        let last = walk.open.count - 1
        let site = walk.open[last]
        guard let origin = values.first(where: { $0.attribute == .abstractOrigin }),
            let target = references.target(origin.value, form: origin.form),
            case .value(let value) = references.get(target),
            value >= site.function.firstParameter
        else { return }
        let position = Int(value - site.function.firstParameter)
        guard position < site.function.sizes.count, site.places[position] == 0 else { return }
        let size = site.function.sizes[position]
        let location = try location(values, walk.unit, at: site.address, size: size)
        switch location {
        case .nowhere: return
        case .elsewhere:
            note(site.function.name, .locationElsewhere, in: contexts[walk.context])
        default:
            guard
                let (flags, words) = words(
                    of: location, size: size, isSigned: site.function.areSigned[position],
                    walk.sections)
            else {
                note(site.function.name, .inexpressibleLocation, in: contexts[walk.context])
                return
            }
            walk.open[last].places[position] = record(
                .locParam, third: size, [flags] + words, &records)
        }
    }

    private func location(
        _ values: [AttributeValue], _ unit: ExpressionUnit, at address: UInt64, size: UInt32
    ) throws(DWARFError) -> ValueLocation {
        for value in values {
            switch value.attribute {
            case .constValue:
                switch value.form {
                case .data1, .data2, .data4, .data8, .sdata, .udata, .implicitConst:
                    return .constant(value.value)
                default: return .inexpressible
                }
            case .location:
                return try data.valueLocation(
                    value.value, form: value.form, of: unit, at: address, size: size)
            default: continue
            }
        }
        return .nowhere
    }

    /// Flags and values of a LOC_PARAM; nil if it cannot say that.
    private func words(
        of location: ValueLocation, size: UInt32, isSigned: Bool, _ sections: CodeSections
    ) -> (flags: UInt32, words: [UInt32])? {
        guard (1...16).contains(size) else { return nil }
        let register = LocationFlags.register
        switch location {
        case .nowhere, .elsewhere, .inexpressible: return nil
        case .constant(let value):
            guard size <= 8 else { return nil }
            return (
                LocationFlags.constant | (isSigned ? LocationFlags.signed : 0),
                number(value, size: size, isSigned: isSigned)
            )
        case .address(let address):
            // The sections of a relocatable file are nowhere yet.
            guard size <= 8, context.zeroMeansDropped, let offset = sections.offset(of: address)
            else { return nil }
            return (
                LocationFlags.constant | LocationFlags.address,
                number(offset, size: size, isSigned: false)
            )
        case .register(let number): return (register, [number])
        case .registers(let lower, let upper): return (register, [lower, upper])
        case .sum(let number, let offset):
            let (sign, words) = words(of: offset)
            return (register | LocationFlags.offset | sign, [number] + words)
        case .memory(let number, 0):
            return (register | LocationFlags.dereferenced, [number])
        case .memory(let number, let offset):
            let (sign, words) = words(of: offset)
            return (
                register | LocationFlags.dereferenced | LocationFlags.offset | sign,
                [number] + words
            )
        }
    }

    private func words(of offset: Int64) -> (sign: UInt32, words: [UInt32]) {
        let sign = offset < 0 ? LocationFlags.signed : 0
        if let short = Int32(exactly: offset) { return (sign, [UInt32(bitPattern: short)]) }
        let bits = UInt64(bitPattern: offset)
        return (
            sign, [UInt32(truncatingIfNeeded: bits), UInt32(truncatingIfNeeded: bits >> 32)]
        )
    }

    /// The lower `size` bytes of a number, extended to one word or two, the lower one first.
    private func number(_ value: UInt64, size: UInt32, isSigned: Bool) -> [UInt32] {
        let unused = 64 - 8 * UInt64(min(size, 8))
        let shifted = value << unused
        let bits =
            isSigned
            ? UInt64(bitPattern: Int64(bitPattern: shifted) >> Int64(unused)) : shifted >> unused
        let low = UInt32(truncatingIfNeeded: bits)
        return size <= 4 ? [low] : [low, UInt32(truncatingIfNeeded: bits >> 32)]
    }
}
