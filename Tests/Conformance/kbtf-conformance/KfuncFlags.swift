// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF

/// The flags of a kernel's kfuncs, as its `.BTF_ids` has them.
///
/// An entry is a pair of BTF id and flags, and a symbol `__BTF_ID__func__NAME__N` names its place.
/// The kernel build sorts the entries of each set by id and leaves the symbols where they are: from
/// then on the id says whose flags these are, and the symbol no more. pahole goes by the symbols.
struct KfuncFlags {
    static let fastcall: UInt32 = 1 << 12
    /// A set of kfuncs, not of something else with flags.
    private static let kfuncSet: UInt32 = 1

    private var byID: [String: UInt32] = [:]
    private var bySymbol: [String: UInt32] = [:]

    /// nil without `.BTF_ids` or without the `.BTF` that its ids are of. That of a module continues
    /// its kernel's, which is not at hand.
    init?(_ elf: ELFFile) throws {
        guard let section = elf.section(named: ".BTF_ids"),
            let types = elf.section(named: ".BTF")
        else { return nil }
        let data = try elf.data(of: section)
        guard
            let words = data.words(at: 0, count: data.count / 4, bigEndian: elf.isBigEndian),
            elf.section(named: ".modinfo") == nil
        else { return nil }
        let btf = try BTF.parse(elf.data(of: types))
        let strings = try elf.symbolStrings()
        var sets: [Int] = []
        var names: [Int: String] = [:]
        for symbol in try elf.symbols() where symbol.sectionIndex == section.index {
            guard symbol.value >= section.address, symbol.value - section.address < section.size,
                let name = strings.cString(at: Int(symbol.nameOffset))
            else { continue }
            let word = Int(symbol.value - section.address) / 4
            if name.hasPrefix("__BTF_ID__set8__") { sets.append(word) }
            if name.hasPrefix("__BTF_ID__func__") { names[word] = Self.function(in: name) }
        }
        for set in sets where set + 2 <= words.count && words[set + 1] & Self.kfuncSet != 0 {
            let count = min(Int(words[set]), (words.count - set - 2) / 2)
            for entry in 0..<count {
                let word = set + 2 + 2 * entry
                let flags = words[word + 1]
                if let record = btf.record(TypeID(words[word])) {
                    byID[record.name, default: 0] |= flags
                }
                if let name = names[word] { bySymbol[name, default: 0] |= flags }
            }
        }
    }

    /// `f` of `__BTF_ID__func__f__12`.
    private static func function(in symbol: String) -> String {
        let rest = symbol.dropFirst("__BTF_ID__func__".count)
        guard let end = rest.lastIndex(of: "_") else { return String(rest) }
        return String(rest[..<end].dropLast())
    }

    /// Whether a tag for `flag` must be there, and pahole cannot see why.
    func isMissedByPahole(_ name: String, _ flag: UInt32) -> Bool {
        byID[name, default: 0] & flag != 0 && bySymbol[name, default: 0] & flag == 0
    }

    /// Whether a tag for `flag` must not be there, and pahole thinks it must.
    func isInventedByPahole(_ name: String, _ flag: UInt32) -> Bool {
        byID[name, default: 0] & flag == 0 && bySymbol[name, default: 0] & flag != 0
    }
}
