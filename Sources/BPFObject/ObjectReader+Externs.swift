// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF

extension ObjectReader {
    /// Whether another object has to define the symbol. Compilers give such symbols no type.
    static func isExtern(_ symbol: ELFSymbol) -> Bool {
        symbol.place == .undefined && symbol.type == ELFSymbolCode.typeNone
            && (symbol.binding == ELFSymbolCode.bindGlobal
                || symbol.binding == ELFSymbolCode.bindWeak)
    }

    /// External symbols: `__kconfig` by offset in its map, kernel symbols by name, then those that
    /// another object has to define.
    func externs() throws(BPFObjectError) -> [BPFObject.Extern] {
        var named: [(name: String, symbol: Int, isWeak: Bool)] = []
        for (number, symbol) in symbols.enumerated() where Self.isExtern(symbol) {
            let name = try name(of: symbol)
            if name.isEmpty { continue }
            named.append((name, number, symbol.binding == ELFSymbolCode.bindWeak))
        }
        if named.isEmpty { return [] }
        let declarations = declarations(of: Set(named.map(\.name)))
        var kconfig: [(extern: BPFObject.Extern, type: KconfigType)] = []
        var others: [BPFObject.Extern] = []
        for (name, symbol, isWeak) in named {
            func add(_ kind: BPFObject.Extern.Kind) {
                others.append(
                    BPFObject.Extern(name: name, symbol: symbol, isWeak: isWeak, kind: kind))
            }
            guard let (record, section) = declarations[name] else {
                add(.unresolved)
                continue
            }
            switch section {
            case ".kconfig":
                guard record.kind == .var, let type = KconfigType(record.type, in: btf) else {
                    throw BPFObjectError(
                        file: path, section: section,
                        "'\(name)' has a type that no configuration value has",
                        hint:
                            "declare it bool, enum libbpf_tristate, char, an integer or an array of char"
                    )
                }
                let extern = BPFObject.Extern(
                    name: name, symbol: symbol, isWeak: isWeak, kind: .kconfig(type, offset: 0))
                kconfig.append((extern, type))
            case ".ksyms":
                add(
                    record.kind == .func
                        ? .kernelFunction
                        : .kernelVariable(isTyped: !record.isTypelessExtern))
            default: add(.unresolved)
            }
        }
        others.sort {
            ($0.kind == .unresolved ? 1 : 0, $0.name.bytewise) < (
                $1.kind == .unresolved ? 1 : 0, $1.name.bytewise
            )
        }
        return try placed(kconfig) + others
    }

    /// libbpf's order in the map `.kconfig`: large alignment first, then small size, then by name.
    private func placed(
        _ variables: [(extern: BPFObject.Extern, type: KconfigType)]
    ) throws(BPFObjectError) -> [BPFObject.Extern] {
        let sorted = variables.sorted { a, b in
            (-a.type.alignment, a.type.size, a.extern.name.bytewise)
                < (-b.type.alignment, b.type.size, b.extern.name.bytewise)
        }
        var end = 0
        var result: [BPFObject.Extern] = []
        for (extern, type) in sorted {
            let start = (end + type.alignment - 1) / type.alignment * type.alignment
            end = start + type.size
            guard end <= Int(Int32.max) else {
                throw BPFObjectError(
                    file: path, section: ".kconfig",
                    "its variables take more than \(Int32.max) bytes")
            }
            result.append(
                BPFObject.Extern(
                    name: extern.name, symbol: extern.symbol, isWeak: extern.isWeak,
                    kind: .kconfig(type, offset: start)))
        }
        return result
    }

    /// The first variable or function with each name, if it is only declared, and the DATASEC that
    /// lists it.
    private func declarations(of names: Set<String>) -> [String: (Record, section: String)] {
        var records: [String: Record] = [:]
        for record in btf.ownRecords where record.kind == .var || record.kind == .func {
            guard let bytes = btf.stringBytes(at: record.nameOffset, atMost: Self.longestName)
            else { continue }
            let name = String(decoding: bytes, as: UTF8.self)
            if names.contains(name), records[name] == nil { records[name] = record }
        }
        records = records.filter { $0.value.linkage == Linkage.extern.rawValue }
        let wanted = Dictionary(
            records.map { ($0.value.id, $0.key) }, uniquingKeysWith: { first, _ in first })
        var found: [String: (Record, section: String)] = [:]
        for datasec in btf.ownRecords where datasec.kind == .datasec {
            guard let bytes = btf.stringBytes(at: datasec.nameOffset, atMost: Self.longestName)
            else { continue }
            let section = String(decoding: bytes, as: UTF8.self)
            for index in 0..<datasec.count {
                guard let name = wanted[TypeID(datasec.element(index, 0))], found[name] == nil
                else { continue }
                found[name] = (records[name]!, section)
            }
        }
        return found
    }
}

extension String {
    /// Compares like strcmp(3), whatever the locale and version of Unicode.
    fileprivate var bytewise: Bytewise { Bytewise(bytes: Array(utf8)) }
}

private struct Bytewise: Comparable {
    let bytes: [UInt8]

    static func < (a: Bytewise, b: Bytewise) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
}
