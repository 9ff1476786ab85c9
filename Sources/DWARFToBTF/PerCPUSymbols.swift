// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import ELF
internal import Tables

/// Which addresses of the debug information are those of per-CPU variables.
struct PerCPUSection: Sendable {
    static let name = ".data..percpu"

    /// Position in the section header table; nil for a file that has only the others.
    let index: Int?
    /// The address that symbol values are relative to: 0 in a relocatable file.
    let symbolBase: UInt64
    /// Its address according to the debug information.
    private let address: UInt64
    private let size: UInt64
    /// No address is in two sections.
    let isSeparate: Bool
    /// For finding sibling sections, such as `.data..percpu..read_mostly` of an object file.
    /// Kernels do not search them for variables of modules, and no symbol of a kernel is in them.
    private let map: SectionMap?

    /// nil for a file without per-CPU variables.
    /// - Parameter map: the section map of the file with the debug information; nil for a
    ///   relocatable file whose sections are all at 0.
    init?(_ elf: ELFFile, map: SectionMap?) {
        guard elf.sections.contains(where: { $0.name.hasPrefix(Self.name) }) else { return nil }
        let section = elf.section(named: Self.name)
        index = section?.index
        symbolBase = elf.type == ELFType.relocatable ? 0 : section?.address ?? 0
        let placed = section == nil ? nil : map?.first(named: Self.name)
        address = placed?.address ?? symbolBase
        size = section == nil ? 0 : placed?.size ?? .max
        isSeparate = map != nil && (section == nil || placed != nil)
        self.map = map
    }

    /// Bytes from the start of the section to an address in the debug information; nil if the
    /// address is outside the section.
    func offset(of address: UInt64) -> UInt64? {
        address >= self.address && address - self.address < size ? address - self.address : nil
    }

    /// Whether an address is in another section for per-CPU variables.
    func isInOther(_ address: UInt64) -> Bool {
        isSeparate && map?.find(address)?.name.hasPrefix(Self.name) == true
    }
}

/// The variables in the per-CPU section, according to the symbol table.
struct PerCPUSymbols: Sendable {
    struct Symbol: Sendable {
        /// The name up to its first dot: link-time optimisation appends suffixes
        /// (`name.llvm.42`, `name.lto_priv.0`).
        let plainName: UInt32
        let name: UInt32
        /// Bytes from the start of the section.
        let offset: UInt64
        /// Bytes.
        let size: UInt64
    }

    /// By plain name, then by offset; a symbol whose name is the plain one before others.
    let symbols: [Symbol]
    private let byOffset: [Int]

    init(_ symbols: [Symbol] = []) {
        func key(_ symbol: Symbol) -> (UInt32, UInt64, Int, UInt32) {
            (
                symbol.plainName, symbol.offset, symbol.name == symbol.plainName ? 0 : 1,
                symbol.name
            )
        }
        let sorted = symbols.sorted { key($0) < key($1) }
        self.symbols = sorted
        byOffset = sorted.indices.sorted { (sorted[$0].offset, $0) < (sorted[$1].offset, $1) }
    }

    /// The index of the symbol of a variable.
    func find(_ name: UInt32, at offset: UInt64) -> Int? {
        let index = symbols.partitioningIndex {
            ($0.plainName, $0.offset) >= (name, offset)
        }
        guard index < symbols.count, symbols[index].plainName == name,
            symbols[index].offset == offset
        else { return nil }
        return index
    }

    /// Whether a symbol has this name, wherever it is.
    func has(_ name: UInt32) -> Bool {
        let index = symbols.partitioningIndex { $0.plainName >= name }
        return index < symbols.count && symbols[index].plainName == name
    }

    /// The indexes of the symbols that begin there.
    func all(at offset: UInt64) -> ArraySlice<Int> {
        let start = byOffset.partitioningIndex { symbols[$0].offset >= offset }
        let end = byOffset.partitioningIndex { symbols[$0].offset > offset }
        return byOffset[start..<end]
    }
}
