// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import Synchronization

extension ELFFile {
    /// The entries of `.symtab`, including entry 0 so that positions are symbol indexes; empty if
    /// the file has none. Kept after the first call.
    package func symbols() throws(ELFError) -> [ELFSymbol] {
        if let known = cache.withLock({ $0.symbols }) { return known }
        let result =
            if let table = symbolTable { try symbols(of: table) } else { [ELFSymbol]() }
        cache.withLock { $0.symbols = result }
        return result
    }

    /// Calls `body` with each entry of `.symtab`, without keeping them.
    package func forEachSymbol(_ body: (ELFSymbol) -> Void) throws(ELFError) {
        if let known = cache.withLock({ $0.symbols }) { return known.forEach(body) }
        if let table = symbolTable { try forEachSymbol(of: table) { _, symbol in body(symbol) } }
    }

    /// The string table of `.symtab`, for `ELFSymbol.nameOffset`; empty without `.symtab`.
    package func symbolStrings() throws(ELFError) -> ByteView {
        guard let table = symbolTable else { return .empty }
        guard let index = Int(exactly: table.link), index > 0, index < sections.count,
            sections[index].type == ELFSectionType.strtab
        else { throw failure(.badLink(table.link, expected: "a string table"), table) }
        return try rawData(of: sections[index])
    }

    /// The name of a symbol of `.symtab`. For many symbols, call `symbolStrings()` once instead.
    package func name(of symbol: ELFSymbol) throws(ELFError) -> String {
        let strings = try symbolStrings()
        if symbol.nameOffset == 0 { return "" }
        guard let name = strings.cString(at: Int(symbol.nameOffset)) else {
            throw failure(
                .outsideFile(offset: UInt64(symbol.nameOffset), size: UInt64(strings.count)),
                symbolTable)
        }
        return name
    }

    /// The section `.symtab`, found by its type.
    package var symbolTable: ELFSection? { sections.first { $0.type == ELFSectionType.symtab } }

    func symbols(of table: ELFSection) throws(ELFError) -> [ELFSymbol] {
        var result: [ELFSymbol] = []
        try forEachSymbol(of: table) { count, symbol in
            if result.isEmpty { result.reserveCapacity(count) }
            result.append(symbol)
        }
        return result
    }

    private func forEachSymbol(
        of table: ELFSection, _ body: (Int, ELFSymbol) -> Void
    ) throws(ELFError) {
        _ = try rawData(of: table)
        if table.isCompressed { throw failure(.unsupported("compressed symbols"), table) }
        let xindex = sections.first {
            $0.type == ELFSectionType.symtabShndx && Int($0.link) == table.index
        }
        let reader = LibELF(path: path)
        // SAFETY: the handle is used inside the call only.
        try unsafe reader.open(bytes) { elf throws(ELFError) in
            try unsafe reader.forEachSymbol(elf, section: table, xindex: xindex, body)
        }
    }

    /// The value of each symbol of `table` for relocations, by symbol index: `st_value`, plus the
    /// address of its section if that is not 0. Symbols defined elsewhere have the value 0.
    func values(of table: ELFSection) throws(ELFError) -> [UInt64] {
        if let known = cache.withLock({ $0.values[table.index] }) { return known }
        let values = try symbols(of: table).map { symbol in
            switch symbol.place {
            case .undefined, .common: UInt64(0)
            case .section(let index):
                symbol.value
                    &+ (index < sections.count ? placements?[index] ?? 0 : 0)
            case .absolute, .reserved: symbol.value
            }
        }
        cache.withLock { $0.values[table.index] = values }
        return values
    }
}
