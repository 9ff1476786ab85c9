// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF

/// Maps as they were declared before `.maps`: variables of `struct bpf_map_def`, or of another
/// loader's struct with the same first members, in a section `maps` or `maps/NAME`.
struct LegacyMaps {
    let elf: ELFFile
    let path: String
    /// The strings that contain the symbols' names.
    let strings: ByteView

    /// Tags of such structs: libbpf's, the one of the kernel's old samples, and iproute2's.
    private static let tags = ["bpf_map_def", "bpf_load_map_def", "bpf_elf_map"]

    /// Refuses sections with such maps, whether or not a program uses them: no loader would create
    /// the map.
    func checkSections(_ symbols: [ELFSymbol]) throws(BPFObjectError) {
        for section in elf.sections
        where section.name == "maps" || section.name.hasPrefix("maps/") {
            guard section.type == ELFSectionType.progbits else { continue }
            throw error(
                symbols.first {
                    $0.sectionIndex == section.index && $0.type == ELFSymbolCode.typeObject
                }, in: section)
        }
    }

    /// Whether `type` is the struct of such a map.
    static func isTag(of type: Record?, in btf: BTF) -> Bool {
        guard let type, type.kind == .struct else { return false }
        return tags.contains { btf.isNamed(type, $0) }
    }

    /// The error for such a map. Its hint declares the same map for `.maps`, if the numbers can be
    /// read.
    func error(_ symbol: ELFSymbol?, in section: ELFSection) -> BPFObjectError {
        let name = symbol?.name(in: strings).flatMap {
            $0.count > ObjectReader.longestName ? nil : String(decoding: $0.array, as: UTF8.self)
        }
        return BPFObjectError(
            file: path, section: section.name,
            offset: name == nil ? nil : symbol.map { Int(clamping: $0.value) },
            (name.map { "map '\($0)' is" } ?? "maps are")
                + " declared as 'struct bpf_map_def', which libbpf 1.0 and later reject",
            hint: symbol.flatMap { declaration($0, name, in: section) }
                ?? "declare maps as structs of __uint and __type in SEC(\".maps\")")
    }

    private func declaration(
        _ symbol: ELFSymbol, _ name: String?, in section: ELFSection
    ) -> String? {
        guard let name, symbol.size >= 16, let at = Int(exactly: symbol.value),
            let bytes = try? elf.rawData(of: section),
            let words = bytes.words(
                at: at, count: symbol.size >= 20 ? 5 : 4, bigEndian: elf.isBigEndian)
        else { return nil }
        var members = zip(["type", "key_size", "value_size", "max_entries"], words)
            .map { "__uint(\($0), \($1));" }
        if words.count == 5, words[4] != 0 { members.append("__uint(map_flags, \(words[4]));") }
        return "struct { \(members.joined(separator: " ")) } \(name) SEC(\".maps\");"
    }
}
