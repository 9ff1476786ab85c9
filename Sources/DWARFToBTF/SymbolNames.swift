// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import ELF

/// What the symbol table says about the functions of one name. Compilers rename the clones they
/// make: `name.isra.0` and the like count as `name`; `name.cold` is a part of it, no function.
struct FunctionSymbol {
    private let section: Int
    private let address: UInt64
    /// There is more than one place.
    private(set) var ambiguous = false

    init(section: Int, address: UInt64) {
        self.section = section
        self.address = address
    }

    mutating func add(section: Int, address: UInt64) {
        if self.section != section || self.address != address { ambiguous = true }
    }
}

/// A variable in the per-CPU section.
struct PerCPUSymbol {
    /// Bytes from the start of the section.
    let offset: UInt64
    /// As DWARF expressions name it.
    let address: UInt64
    /// Bytes.
    let size: UInt64
}

/// The function symbols of a file, and the per-CPU variables, by interned name.
struct SymbolNames {
    var functions: [UInt32: FunctionSymbol] = [:]
    var perCPU: [UInt32: [PerCPUSymbol]] = [:]

    /// - Parameter section: the per-CPU section, if the file has one and variables are wanted.
    init(_ elf: ELFFile, types: inout TypeWriter, perCPU section: ELFSection?) throws(ELFError) {
        let strings = try elf.symbolStrings()
        let base = elf.type == ELFType.relocatable ? 0 : section?.address ?? 0
        for symbol in try elf.symbols() {
            guard let index = symbol.sectionIndex, let name = Self.name(symbol, strings) else {
                continue
            }
            if symbol.type == ELFSymbolCode.typeFunction {
                addFunction(name, index, symbol.value, &types)
            } else if index == section?.index, symbol.type == ELFSymbolCode.typeObject,
                symbol.value >= base
            {
                perCPU[name.withSpan { types.intern($0) }, default: []].append(
                    PerCPUSymbol(
                        offset: symbol.value - base, address: symbol.value, size: symbol.size))
            }
        }
    }

    static func name(_ symbol: ELFSymbol, _ strings: ByteView) -> ByteView? {
        var cursor = strings.cursor()
        do throws(ByteError) {
            try cursor.seek(to: Int(symbol.nameOffset))
            let length = try cursor.skipCString()
            return length == 0 ? nil : strings.slice(Int(symbol.nameOffset), length)
        } catch {
            return nil
        }
    }

    private mutating func addFunction(
        _ name: ByteView, _ section: Int, _ address: UInt64, _ types: inout TypeWriter
    ) {
        var dot = 0
        while dot < name.count, name[dot] != UInt8(ascii: ".") { dot += 1 }
        guard dot > 0, let plain = name.slice(0, dot),
            let suffix = name.slice(dot, name.count - dot)
        else { return }
        if Self.isFragment(suffix) { return }
        let id = plain.withSpan { types.intern($0) }
        functions[id, default: FunctionSymbol(section: section, address: address)]
            .add(section: section, address: address)
    }

    /// `.cold` or `.part` somewhere in the suffix: a piece of a function, split off.
    private static func isFragment(_ suffix: ByteView) -> Bool {
        for at in 0..<suffix.count where suffix[at] == UInt8(ascii: ".") {
            if suffix.hasBytes(".cold", at: at) || suffix.hasBytes(".part", at: at) { return true }
        }
        return false
    }
}
