// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import ELF

/// A variable in the per-CPU section.
struct PerCPUSymbol {
    /// Bytes from the start of the section.
    let offset: UInt64
    /// As DWARF expressions name it.
    let address: UInt64
    /// Bytes.
    let size: UInt64
}

/// What the symbol table says about functions and per-CPU variables, by name. Compilers rename the
/// clones of functions that they make: `name.isra.0` and the like count as `name`; `name.cold` is a part
/// of it, no function.
final class SymbolNames: Sendable {
    /// Name -> index of the first place; several when `several` is set.
    private let functions: NumberTable
    private let several: Set<UInt32>
    let perCPU: [UInt32: [PerCPUSymbol]]

    func isFunction(_ name: UInt32) -> Bool { functions.find(name) != nil }

    /// Functions of this name stand at different places.
    func isAmbiguous(_ name: UInt32) -> Bool { several.contains(name) }

    /// - Parameter section: the per-CPU section, if the file has one and variables are wanted.
    init(_ elf: ELFFile, names: NamePool, perCPU section: ELFSection?) throws(ELFError) {
        let strings = try elf.symbolStrings()
        let base = elf.type == ELFType.relocatable ? 0 : section?.address ?? 0
        let symbols = try elf.symbols()
        var functions = NumberTable()
        var several: Set<UInt32> = []
        var perCPU: [UInt32: [PerCPUSymbol]] = [:]
        for (number, symbol) in symbols.enumerated() {
            guard let index = symbol.sectionIndex else { continue }
            if symbol.type == ELFSymbolCode.typeFunction {
                guard let name = Self.functionName(symbol, strings),
                    let id = name.withSpan({ names.intern($0) })
                else { continue }
                guard let known = functions.find(id) else {
                    functions.insert(id, UInt32(truncatingIfNeeded: number))
                    continue
                }
                let first = symbols[Int(known)]
                if first.sectionIndex != index || first.value != symbol.value { several.insert(id) }
            } else if index == section?.index, symbol.type == ELFSymbolCode.typeObject,
                symbol.value >= base, let name = Self.name(symbol, strings),
                let id = name.withSpan({ names.intern($0) })
            {
                perCPU[id, default: []].append(
                    PerCPUSymbol(
                        offset: symbol.value - base, address: symbol.value, size: symbol.size))
            }
        }
        self.functions = functions
        self.several = several
        self.perCPU = perCPU
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

    /// The name up to its first dot; nil for what is no function of its own.
    private static func functionName(_ symbol: ELFSymbol, _ strings: ByteView) -> ByteView? {
        guard let name = name(symbol, strings) else { return nil }
        var dot = 0
        while dot < name.count, name[dot] != UInt8(ascii: ".") { dot += 1 }
        guard dot > 0 else { return nil }
        if dot == name.count { return name }
        guard let suffix = name.slice(dot, name.count - dot), !isFragment(suffix) else {
            return nil
        }
        return name.slice(0, dot)
    }

    /// `.cold` or `.part` somewhere in the suffix: a piece of a function, split off.
    private static func isFragment(_ suffix: ByteView) -> Bool {
        for at in 0..<suffix.count where suffix[at] == UInt8(ascii: ".") {
            if suffix.hasBytes(".cold", at: at) || suffix.hasBytes(".part", at: at) { return true }
        }
        return false
    }
}
