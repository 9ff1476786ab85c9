// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import ELF

/// Which differences in VARs and DATASECs are pahole's faults, each place proven from the file's
/// symbols and its debug information:
///
/// - `pahole-declared-without-length`: an array declared `[]` and defined with a length. pahole
///   1.32 goes by the declaration's type, takes the size for 0 and leaves the variable out.
/// - `pahole-overlapping-variables`: a weak definition was overridden by another one, and lies
///   where that one lies. pahole writes both, although there is one symbol.
/// - `pahole-start-of-section`: pahole believes in a variable at the start of a section only when a
///   symbol has its name. The kernel build gives some symbols a prefix (`__pi_`), but the place
///   remains.
/// - `pahole-section-of-relocatable`: in a relocatable file pahole takes the places that libdwfl
///   gives to sections for addresses in the file, and names a section that the symbol is not in.
/// - `pahole-percpu-of-relocatable`: for the same reason it takes a per-CPU variable for one of
///   another section, and leaves it out where no others are wanted.
struct VariableRules {
    static let names: Set<String> = [
        "pahole-declared-without-length", "pahole-overlapping-variables",
        "pahole-start-of-section", "pahole-section-of-relocatable",
        "pahole-percpu-of-relocatable",
    ]

    /// An entry of a DATASEC.
    private struct Entry: Hashable {
        let section: String
        let name: String
        let linkage: UInt32
        let offset: UInt64
        let size: UInt64
    }

    /// What says that a variable is the same one, wherever it lies.
    private struct Variable: Hashable {
        let name: String
        let linkage: UInt32
        let size: UInt64

        init(_ entry: Entry) {
            name = entry.name
            linkage = entry.linkage
            size = entry.size
        }
    }

    private let a: BTF
    private let b: BTF
    private let elf: ELFFile
    private let path: String
    private let symbols: VariableSymbols
    private(set) var counts: [String: Int] = [:]

    init(a: BTF, b: BTF, elf: String) throws {
        self.a = a
        self.b = b
        path = elf
        self.elf = try ELFFile(path: elf)
        symbols = try VariableSymbols(self.elf)
    }

    /// The differences that no rule of `allowed` explains; the others are counted in `counts`.
    mutating func unexplained(
        _ differences: [Comparison.Difference], allowed: Set<String>
    ) throws -> [Comparison.Difference] {
        guard differences.contains(where: { $0.kind == .var || $0.kind == .datasec }) else {
            return differences
        }
        let ours = Self.entries(of: a)
        let theirs = Self.entries(of: b)
        let onlyOurs = Self.surplus(ours.entries, over: theirs.entries)
        let onlyTheirs = Self.surplus(theirs.entries, over: ours.entries)
        let stated = try statedEntries(Set((onlyOurs + onlyTheirs).map(\.name)))

        var unproven = ours.badSections.union(theirs.badSections)
        var missing: [String: Int] = [:]
        var repeated: [String: Int] = [:]
        let moved =
            allowed.contains("pahole-section-of-relocatable")
            ? movedVariables(onlyOurs, onlyTheirs) : [:]
        var left = moved
        for entry in onlyOurs {
            if left[Variable(entry), default: 0] > 0 {
                left[Variable(entry)]! -= 1
                counts["pahole-section-of-relocatable", default: 0] += 1
            } else if allowed.contains("pahole-declared-without-length"),
                isDeclaredWithoutLength(entry, stated[entry.name] ?? [])
            {
                missing[entry.name, default: 0] += 1
                counts["pahole-declared-without-length", default: 0] += 1
            } else if allowed.contains("pahole-start-of-section"),
                isNamelessStart(entry, stated[entry.name] ?? [])
            {
                missing[entry.name, default: 0] += 1
                counts["pahole-start-of-section", default: 0] += 1
            } else if allowed.contains("pahole-percpu-of-relocatable"),
                isPerCPUOfRelocatable(entry, stated[entry.name] ?? [])
            {
                missing[entry.name, default: 0] += 1
                counts["pahole-percpu-of-relocatable", default: 0] += 1
            } else {
                unproven.insert(entry.section)
            }
        }
        left = moved
        for entry in onlyTheirs {
            if left[Variable(entry), default: 0] > 0 {
                left[Variable(entry)]! -= 1
            } else if allowed.contains("pahole-overlapping-variables"),
                overlaps(entry, ours.entries, stated[entry.name] ?? [])
            {
                repeated[entry.name, default: 0] += 1
                counts["pahole-overlapping-variables", default: 0] += 1
            } else {
                unproven.insert(entry.section)
            }
        }
        return differences.filter { difference in
            switch (difference.kind, difference.a, difference.b) {
            case (.var, let id?, nil): return !Self.take(a.record(id)!.name, from: &missing)
            case (.var, nil, let id?): return !Self.take(b.record(id)!.name, from: &repeated)
            case (.datasec, let id, let other):
                let section = id.map { a.record($0)!.name } ?? b.record(other!)!.name
                return unproven.contains(section)
            default: return true
            }
        }
    }

    private static func take(_ name: String, from found: inout [String: Int]) -> Bool {
        guard let count = found[name], count > 0 else { return false }
        found[name] = count - 1
        return true
    }

    // MARK: Proofs

    private func isDeclaredWithoutLength(_ entry: Entry, _ stated: [VariableEntry]) -> Bool {
        symbols.places(of: entry.name).contains { place in
            place.section == entry.section && place.offset == entry.offset
                && place.size == entry.size
                && stated.contains {
                    $0.address == place.address && $0.size == entry.size
                        && $0.isDeclaredWithoutLength
                }
        }
    }

    /// Whether a symbol of another name takes just this place, and the debug information agrees.
    private func isNamelessStart(_ entry: Entry, _ stated: [VariableEntry]) -> Bool {
        guard entry.offset == 0, symbols.places(of: entry.name).isEmpty else { return false }
        return symbols.startOfSection(entry.section, size: entry.size).contains { place in
            stated.contains { $0.address == place.address && $0.size == entry.size }
        }
    }

    /// Whether the one symbol of the name is there, we have the variable as large as the symbol
    /// says, and two definitions of it are stated.
    private func overlaps(_ entry: Entry, _ ours: [Entry], _ stated: [VariableEntry]) -> Bool {
        let places = symbols.places(of: entry.name)
        guard places.count == 1, let place = places.first, place.section == entry.section,
            place.offset == entry.offset
        else { return false }
        return stated.count { $0.address == place.address } > 1
            && ours.contains {
                $0.section == place.section && $0.name == entry.name && $0.offset == place.offset
                    && $0.size == place.size
            }
    }

    /// How many of each variable are where a symbol says so with us, and where none does with
    /// pahole.
    private func movedVariables(_ ours: [Entry], _ theirs: [Entry]) -> [Variable: Int] {
        guard elf.type == ELFType.relocatable else { return [:] }
        var right: [Variable: Int] = [:]
        for entry in ours where isAtSymbol(entry) { right[Variable(entry), default: 0] += 1 }
        var wrong: [Variable: Int] = [:]
        for entry in theirs where !isAtSymbol(entry) { wrong[Variable(entry), default: 0] += 1 }
        return right.filter { wrong[$0.key] == $0.value }
    }

    /// Whether a symbol has the per-CPU variable where we say, and the debug information agrees.
    private func isPerCPUOfRelocatable(_ entry: Entry, _ stated: [VariableEntry]) -> Bool {
        elf.type == ELFType.relocatable && entry.section == ".data..percpu" && isAtSymbol(entry)
            && stated.contains {
                $0.address == entry.offset && ($0.size ?? entry.size) == entry.size
            }
    }

    private func isAtSymbol(_ entry: Entry) -> Bool {
        symbols.places(of: entry.name).contains {
            $0.section == entry.section && $0.offset == entry.offset && $0.size == entry.size
        }
    }

    private func statedEntries(_ names: Set<String>) throws -> [String: [VariableEntry]] {
        var fault = ""
        let isRelocatable = elf.type == ELFType.relocatable
        guard let dwarf = LibDW.open(path, relocatable: isRelocatable, &fault) else {
            throw Unreadable(path: path, fault: fault)
        }
        return Dictionary(grouping: dwarf.variables(named: names), by: \.name)
    }

    private struct Unreadable: Error, CustomStringConvertible {
        let path: String
        let fault: String
        var description: String { "\(path): libdw: \(fault)" }
    }

    // MARK: Entries

    /// What all DATASECs hold, and the sections whose size is not where the last entry ends.
    private static func entries(of btf: BTF) -> (entries: [Entry], badSections: Set<String>) {
        var found: [Entry] = []
        var bad: Set<String> = []
        for section in btf.ownRecords where section.kind == .datasec {
            var end: UInt64 = 0
            for index in 0..<section.count {
                guard let variable = btf.record(TypeID(section.element(index, 0))) else {
                    bad.insert(section.name)
                    continue
                }
                let entry = Entry(
                    section: section.name, name: variable.name, linkage: variable.linkage,
                    offset: UInt64(section.element(index, 1)),
                    size: UInt64(section.element(index, 2)))
                end = max(end, entry.offset + entry.size)
                found.append(entry)
            }
            if end != UInt64(section.size) { bad.insert(section.name) }
        }
        return (found, bad)
    }

    /// What `entries` has more of than `others`.
    private static func surplus(_ entries: [Entry], over others: [Entry]) -> [Entry] {
        var left: [Entry: Int] = [:]
        for entry in others { left[entry, default: 0] += 1 }
        return entries.filter { entry in
            guard let count = left[entry], count > 0 else { return true }
            left[entry] = count - 1
            return false
        }
    }
}
