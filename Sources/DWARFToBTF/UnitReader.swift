// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF
internal import Tables

/// Reads units into boxes, on one thread.
struct UnitReader: ~Copyable {
    var encoder: UnitEncoder
    let context: EncodeContext
    private var compiler: AbbreviationCompiler?
    /// The abbreviations of the unit read last; units may share them.
    private var table: (offset: UInt64, encoding: UnitEncoding, compiled: AbbreviationTable)?

    /// - Parameter namesByOffset: shared by all readers.
    init(
        _ context: EncodeContext, _ namesByOffset: SharedNumberTable, _ firstUnit: Unit
    ) {
        self.context = context
        encoder = UnitEncoder(context, namesByOffset, firstUnit: firstUnit)
    }

    /// Reads one unit that refers to no other.
    /// - Parameter index: its index in the file.
    mutating func read(_ unit: Unit, _ index: Int, into box: UnitBox) {
        if !context.splitUnits.isEmpty, let split = context.splitUnits[index] {
            return read(split, into: box)
        }
        finish(box) { (reader: inout UnitReader) throws(EncodeError) in
            guard unit.sort == .compile || unit.sort == .skeleton else { throw .linkedUnits }
            let isLinked: Bool
            do throws(DWARFError) { isLinked = try !reader.read(unit) } catch {
                throw .dwarf(error)
            }
            if isLinked { throw .linkedUnits }
        }
    }

    /// False when the unit may refer to others.
    private mutating func read(_ unit: Unit) throws(DWARFError) -> Bool {
        let table = try table(of: unit)
        if table.refersOutside { return false }
        encoder.beginTable(origin: unit.offset, count: unit.end - unit.offset)
        if try encoder.encode(unit, table: table, inTypes: false) { try encoder.finishTable() }
        return true
    }

    /// Reads all units of all sections into one table.
    mutating func readLinked(into box: UnitBox) {
        finish(box) { (reader: inout UnitReader) throws(EncodeError) in
            do throws(DWARFError) {
                try reader.readLinked()
            } catch { throw .dwarf(error) }
        }
    }

    /// Does `body` and leaves what the encoder has in `box`.
    mutating func finish(
        _ box: UnitBox, _ body: (inout UnitReader) throws(EncodeError) -> Void
    ) {
        var failure: EncodeError?
        do throws(EncodeError) { try body(&self) } catch { failure = error }
        box.withContent { content in
            swap(&content.types, &encoder.types)
            swap(&content.findings, &encoder.findings)
            content.failure = failure
        }
        encoder.types.removeAll()
        encoder.largeIntegers.removeAll()
        encoder.findings.removeAll()
    }

    mutating func table(of unit: Unit) throws(DWARFError) -> AbbreviationTable {
        if let table, table.offset == unit.abbreviationOffset, table.encoding == unit.encoding {
            return table.compiled
        }
        let known = compiler?.encoding == unit.encoding ? compiler : nil
        let compiler = known ?? encoder.data.abbreviationCompiler(for: unit)
        self.compiler = compiler
        let compiled = try compiler.table(at: unit.abbreviationOffset)
        table = (unit.abbreviationOffset, unit.encoding, compiled)
        return compiled
    }

    /// Forgets abbreviations: what is read next has others.
    mutating func forgetTables() {
        table = nil
        compiler = nil
    }

    private mutating func readLinked() throws(DWARFError) {
        let data = context.data
        // Each section begins at a multiple of 64, see `OffsetTable`.
        let typesBase = (data.info.count + 63) / 64 * 64
        let alternateBase = (typesBase + data.types.count + 63) / 64 * 64
        encoder.beginTable(
            origin: 0, count: alternateBase + (data.alternate?.info.count ?? 0))
        encoder.references.links.isShared = true
        encoder.references.links.alternateBase = data.alternate == nil ? nil : alternateBase
        for unit in data.units where unit.sort == .type {
            encoder.references.links.signatures[unit.signature] = unit.typeOffset
        }
        for unit in data.typeUnits {
            encoder.references.links.signatures[unit.signature] = typesBase + unit.typeOffset
        }
        let imported = try importedUnits(alternateBase: alternateBase)
        encoder.references.links.imported = imported
        try readAlternate(data.alternate?.units ?? [], alternateBase)
        encoder.references.sectionBase = typesBase
        try read(data.typeUnits, inTypes: true)
        encoder.references.sectionBase = 0
        try read(data.units, inTypes: false)
        while let new = imported?.takeNew(), !new.isEmpty {
            for candidate in new where !candidate.isInAlternate {
                let unit = candidate.unit
                _ = try encoder.encode(unit, table: try table(of: unit), inTypes: false)
            }
            try readAlternate(new.filter(\.isInAlternate).map(\.unit), alternateBase)
        }
        try encoder.finishTable()
        encoder.references.links.imported = nil
    }

    /// Reads units of the dwz file.
    private mutating func readAlternate(_ units: [Unit], _ base: Int) throws(DWARFError) {
        guard let alternate = context.data.alternate, !units.isEmpty else { return }
        enterAlternate(alternate, base: base)
        try read(units, inTypes: false)
        leaveAlternate()
    }

    private mutating func read(_ units: [Unit], inTypes: Bool) throws(DWARFError) {
        for (index, unit) in units.enumerated() {
            // Those are read one by one.
            if !inTypes, !encoder.references.links.inAlternate, context.splitUnits[index] != nil {
                continue
            }
            if !inTypes, let imported = encoder.references.links.imported,
                !imported.isWanted(at: encoder.references.slot(unit.offset))
            {
                continue
            }
            _ = try encoder.encode(unit, table: try table(of: unit), inTypes: inTypes)
        }
    }
}

extension UnitEncoder {
    /// Empties the table for entries `origin` ..< `origin + count` of the section.
    mutating func beginTable(origin: Int, count: Int) {
        references.begin(origin: origin, count: count)
        forgetContexts()
        declared.removeAll()
        annotations.beginTable()
        siteUnits.removeAll(keepingCapacity: true)
        rustTypes.removeAll(keepingCapacity: true)
    }

    /// Completes types and findings of the units read into the table.
    mutating func finishTable() throws(DWARFError) {
        try resolveReferences()
        widenUnsizedTails()
        try collectFunctions()
        if let sections = context.codeSections { try collectInlineSites(sections) }
        if let sections = context.sections {
            try collectGlobals(sections)
        } else if let section = context.perCPU {
            try collectPerCPU(section)
        }
        for tag in annotations.declared {
            guard case .type(let id) = tag.target else { continue }
            types.addDeclarationTag(tag.value, on: id, component: tag.component)
        }
        if context.keepsLedger {
            for context in contexts { findings.unitNames.append(context.name) }
        }
        findings.int = references.int
        references.giveIndexes(for: &findings.lateIndexes)
        types.seal()
    }
}
