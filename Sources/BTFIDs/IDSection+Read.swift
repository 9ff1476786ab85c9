// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
package import ELF

extension IDSection {
    /// Reads `.BTF_ids` and the symbols that name its words.
    ///
    /// - Returns: nil if there is no such section, if it has no contents (in a separate debug
    ///   file), or if there is no symbol table to describe the words.
    /// - Throws: `IDError` for symbols of an unknown form, outside the section, not at an id, or
    ///   overlapping, for wrong set sizes, and for damaged files.
    package static func read(_ elf: ELFFile) throws(IDError) -> IDSection? {
        guard elf.symbolTable != nil else { return nil }
        let scan: (section: IDSection, problems: [Problem])?
        do throws(ELFError) { scan = try collect(elf) } catch { throw .elf(error) }
        guard let (section, problems) = scan else { return nil }
        let found = elf.sections(named: name)
        if found.count > 1 { throw section.failure(.severalSections(found.count), at: nil) }
        if elf.type == ELFType.relocatable,
            let by = elf.sections.first(where: {
                ($0.type == ELFSectionType.rel || $0.type == ELFSectionType.rela) && $0.size > 0
                    && Int($0.info) == found[0].index
            })
        {
            throw section.failure(.relocated(by: by.name), at: nil)
        }
        if let first = problems.first {
            throw .section(path: elf.path, offset: first.offset, fault: first.fault)
        }
        try section.checkPlaces()
        return section
    }

    /// A fault of one symbol, whose word is then not among the entries.
    package struct Problem: Sendable {
        package let symbol: String
        /// The offset given by the symbol.
        package let offset: UInt64
        package let fault: IDFault
    }

    /// Like `read`, but skips faults of individual symbols and returns them. A set with a wrong
    /// size is kept up to the end of the section or the next set.
    package static func scan(
        _ elf: ELFFile
    ) throws(ELFError) -> (section: IDSection, problems: [Problem])? {
        guard let (section, problems) = try collect(elf) else { return nil }
        var sets = section.sets
        let order = sets.indices.sorted { (sets[$0].place, $0) < (sets[$1].place, $1) }
        // Overlapping sets would be processed over and over.
        for (one, next) in zip(order, order.dropFirst()) where sets[next].place < sets[one].end {
            sets[one].end = sets[next].place
        }
        return (
            IDSection(
                path: section.path, bigEndian: section.bigEndian, bytes: section.bytes,
                entries: section.entries, sets: sets), problems
        )
    }

    private static func collect(
        _ elf: ELFFile
    ) throws(ELFError) -> (section: IDSection, problems: [Problem])? {
        guard let section = elf.section(named: name), section.hasData else { return nil }
        let contents = try elf.data(of: section)
        let strings = try elf.symbolStrings()
        // In a relocatable file symbols count from the start of their section.
        let origin = elf.type == ELFType.relocatable ? 0 : section.address
        var symbols = SymbolReader(size: contents.count, origin: origin)
        try elf.forEachSymbol { symbol in
            if symbol.sectionIndex == section.index { symbols.read(symbol, strings) }
        }
        return (
            IDSection(
                path: elf.path, bigEndian: elf.isBigEndian, bytes: contents.array,
                entries: symbols.entries, sets: symbols.sets), symbols.problems
        )
    }

    /// Throws if entries are not at the ids of their sets, or words overlap.
    private func checkPlaces() throws(IDError) {
        let outside = entries.filter { $0.set == nil }.map { Span($0.place, 4, $0.symbol) }
        try checkOrder(of: sets.map { Span($0.place, $0.end - $0.place, $0.symbol) } + outside)
        for entry in entries {
            guard let set = entry.set.map({ sets[$0] }) else { continue }
            let offset = entry.place - set.place
            guard offset >= set.stride, offset % set.stride == 0, entry.place < set.end else {
                throw failure(.notAnID(entry.symbol, set: set.name), at: entry.place)
            }
        }
        var byPlace: [Int: Int] = [:]
        for (index, entry) in entries.enumerated() {
            guard let other = byPlace.updateValue(index, forKey: entry.place) else { continue }
            // Two symbols may share a word if they request the same type.
            guard entries[other].kind == entry.kind, entries[other].name == entry.name else {
                throw failure(.overlap(entry.symbol, with: entries[other].symbol), at: entry.place)
            }
        }
    }

    private struct Span {
        let start: Int
        let end: Int
        let symbol: String

        init(_ start: Int, _ count: Int, _ symbol: String) {
            self.start = start
            end = start + count
            self.symbol = symbol
        }
    }

    private func checkOrder(of spans: [Span]) throws(IDError) {
        let spans = spans.sorted { ($0.start, $0.end) < ($1.start, $1.end) }
        for (one, next) in zip(spans, spans.dropFirst()) where next.start < one.end {
            if next.start == one.start, next.end == one.end, one.end - one.start == 4 { continue }
            throw failure(.overlap(next.symbol, with: one.symbol), at: next.start)
        }
    }
}

/// Sorts the symbols of the section into entries and sets.
private struct SymbolReader {
    let size: Int
    let origin: UInt64
    private(set) var entries: [IDSection.Entry] = []
    private(set) var sets: [IDSection.Set] = []
    private(set) var problems: [IDSection.Problem] = []

    init(size: Int, origin: UInt64) {
        self.size = size
        self.origin = origin
    }

    mutating func read(_ symbol: ELFSymbol, _ strings: ByteView) {
        guard let bytes = symbol.name(in: strings), let meaning = IDSymbolName(bytes) else {
            return
        }
        let text = String(systemBytes: bytes.array)
        let offset = symbol.value &- origin
        func note(_ fault: IDFault) -> IDSection.Problem {
            IDSection.Problem(symbol: text, offset: offset, fault: fault)
        }
        switch meaning {
        case .malformed: problems.append(note(.malformedName(text)))
        case .unknownKind: problems.append(note(.unknownKind(text)))
        case .id(let kind, let name):
            guard let place = place(symbol, bytes: 4) else {
                return problems.append(note(.outside(text, sectionSize: size)))
            }
            entries.append(
                IDSection.Entry(symbol: text, kind: kind, name: name, place: place, set: nil))
        case .set(let name, let hasFlags):
            let entry = hasFlags ? 8 : 4
            guard let place = place(symbol, bytes: entry) else {
                return problems.append(note(.outside(text, sectionSize: size)))
            }
            let room = UInt64(size - place)
            if symbol.size == 0 || symbol.size % UInt64(entry) != 0 || symbol.size > room {
                problems.append(note(.setSize(text, size: symbol.size, entry: entry)))
            }
            sets.append(
                IDSection.Set(
                    symbol: text, name: name, place: place,
                    end: place + Int(min(symbol.size, room)), hasFlags: hasFlags))
        }
    }

    /// The offset of the symbol's words; nil if they are not inside the section.
    private func place(_ symbol: ELFSymbol, bytes: Int) -> Int? {
        guard symbol.value >= origin, let place = Int(exactly: symbol.value - origin),
            size >= bytes, place <= size - bytes
        else { return nil }
        return place
    }
}
