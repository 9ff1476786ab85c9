// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import ELF
internal import Tables

/// What the symbol table says about functions and per-CPU variables, by name. Compilers rename
/// clones of functions: `name.isra.0` and the like count as `name`; `name.cold` is only a part of
/// it and does not count as a function.
final class SymbolNames: Sendable {
    /// Name -> index in `addresses`.
    private let functions: NumberTable
    private let addresses: Arena<UInt64>
    private let several: Set<UInt32>
    private let clones: Set<UInt32>
    /// Addresses in the DWARF are those of the symbols: the file is linked.
    private let isLinked: Bool
    let perCPU: PerCPUSymbols

    /// How many functions have names.
    var functionCount: Int { functions.count }

    func isFunction(_ name: UInt32) -> Bool { functions.find(name) != nil }

    /// Whether the function with that name is at `address`, in a linked file.
    func isPlace(of name: UInt32, _ address: UInt64) -> Bool {
        guard isLinked, let index = functions.find(name) else { return false }
        return addresses[Int(index)] == address
    }

    /// Whether it is a clone from which the compiler may have removed parameters: `name.isra.0`,
    /// `name.constprop.0`.
    func isClone(_ name: UInt32) -> Bool { clones.contains(name) }

    /// Whether functions with that name are at different addresses.
    func isAmbiguous(_ name: UInt32) -> Bool { several.contains(name) }

    /// - Parameter section: the per-CPU section, if the file has one and variables are wanted.
    init(_ elf: ELFFile, names: NamePool, perCPU section: PerCPUSection?) throws(ELFError) {
        let strings = try elf.symbolStrings()
        let base = section?.symbolBase ?? 0
        // The size is what the file says.
        let size = Int(clamping: elf.symbolTable?.size ?? 0)
        var functions = NumberTable(expecting: min(size, elf.bytes.count) / 48)
        var addresses = Arena<UInt64>()
        var places = Arena<Int>()
        var several: Set<UInt32> = []
        var clones: Set<UInt32> = []
        var perCPU: [PerCPUSymbols.Symbol] = []
        try elf.forEachSymbol { symbol in
            guard let index = symbol.sectionIndex else { return }
            if symbol.type == ELFSymbolCode.typeFunction {
                guard let name = Self.functionName(symbol, strings),
                    let id = name.plain.withSpan({ names.intern($0) })
                else { return }
                if name.isClone { clones.insert(id) }
                guard let known = functions.find(id).map({ Int($0) }) else {
                    functions.insert(id, UInt32(truncatingIfNeeded: addresses.count))
                    addresses.append(symbol.value)
                    places.append(index)
                    return
                }
                if places[known] != index || addresses[known] != symbol.value { several.insert(id) }
            } else if index == section?.index, symbol.type == ELFSymbolCode.typeObject,
                symbol.value >= base, let name = symbol.name(in: strings),
                let id = name.withSpan({ names.intern($0) })
            {
                var plain = id
                if let dot = name.firstIndex(of: UInt8(ascii: ".")), dot > 0,
                    let part = name.slice(0, dot)
                {
                    plain = part.withSpan({ names.intern($0) }) ?? id
                }
                perCPU.append(
                    .init(
                        plainName: plain, name: id, offset: symbol.value - base,
                        size: symbol.size))
            }
        }
        self.functions = functions
        self.addresses = addresses
        self.several = several
        self.clones = clones
        self.perCPU = PerCPUSymbols(perCPU)
        isLinked = elf.type != ELFType.relocatable
    }

    /// The name up to its first dot; nil for a symbol that is not a function in its own right.
    private static func functionName(
        _ symbol: ELFSymbol, _ strings: ByteView
    ) -> (plain: ByteView, isClone: Bool)? {
        guard let name = symbol.name(in: strings) else { return nil }
        guard let dot = name.firstIndex(of: UInt8(ascii: ".")) else { return (name, false) }
        guard dot > 0 else { return nil }
        guard let suffix = name.slice(dot, name.count - dot), let plain = name.slice(0, dot),
            !has(suffix, ".cold", or: ".part")
        else { return nil }
        return (plain, has(suffix, ".isra", or: ".constprop"))
    }

    /// Whether one of two endings stands somewhere in the suffix.
    private static func has(
        _ suffix: ByteView, _ one: StaticString, or other: StaticString
    ) -> Bool {
        for at in 0..<suffix.count where suffix[at] == UInt8(ascii: ".") {
            if suffix.hasBytes(one, at: at) || suffix.hasBytes(other, at: at) { return true }
        }
        return false
    }
}
