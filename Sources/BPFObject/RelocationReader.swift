// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF

/// Determines what each instruction with a relocation refers to.
///
/// A static variable's relocation is against its section, and its offset there is in the
/// instruction; a global one's is against its symbol, which has the offset. The sum is right for
/// both.
struct RelocationReader {
    let reader: ObjectReader
    let functions: [BPFObject.Function]
    let maps: [BPFObject.Map]
    /// By symbol index.
    let externs: [Int: Int]
    /// By section index.
    let dataMaps: [Int: Int]
    /// The maps of `.maps` by offset in it; they do not overlap.
    let declaredMaps: [(offset: Int, map: Int)]

    init(
        _ reader: ObjectReader, functions: [BPFObject.Function], maps: [BPFObject.Map],
        externs: [BPFObject.Extern]
    ) {
        self.reader = reader
        self.functions = functions
        self.maps = maps
        self.externs = Dictionary(
            uniqueKeysWithValues: externs.enumerated().map { ($1.symbol, $0) })
        dataMaps = Dictionary(
            maps.enumerated().filter { $1.isInternal && $1.sectionIndex != 0 }
                .map { ($1.sectionIndex, $0) }, uniquingKeysWith: { first, _ in first })
        declaredMaps = maps.enumerated().filter { !$1.isInternal }.map { ($1.offset, $0) }
            .sorted { $0.offset < $1.offset }
    }

    struct Relocation {
        /// Bytes from the start of the relocated section.
        let place: Int
        let symbol: ELFSymbol
        let symbolNumber: Int
    }

    func read(
        into functions: inout [BPFObject.Function], _ maps: inout [BPFObject.Map]
    ) throws(BPFObjectError) {
        var references = [[BPFObject.Reference]](repeating: [], count: functions.count)
        for section in reader.elf.sections where reader.roles[section.index] == .relocations {
            let target = Int(section.info)
            switch reader.roles[target] {
            case .program:
                for relocation in try relocations(of: section, in: target) {
                    guard let (index, reference) = try reference(relocation, in: target) else {
                        continue
                    }
                    references[index].append(reference)
                }
            case .maps:
                for relocation in try relocations(of: section, in: target) {
                    guard let (index, slot) = try slot(relocation, in: target) else { continue }
                    maps[index].slots.append(slot)
                }
            default: continue
            }
        }
        for index in functions.indices {
            functions[index].references = try completed(references[index], of: index)
        }
        for index in maps.indices {
            maps[index].slots.sort { $0.index < $1.index }
            for (a, b) in zip(maps[index].slots, maps[index].slots.dropFirst())
            where a.index == b.index {
                throw BPFObjectError(
                    file: reader.path, section: maps[index].section, offset: maps[index].offset,
                    "map '\(maps[index].name)': slot \(a.index) is set twice")
            }
        }
    }

    private func relocations(
        of section: ELFSection, in target: Int
    ) throws(BPFObjectError) -> [Relocation] {
        let bytes = try reader.bytes(of: section)
        let bigEndian = reader.elf.isBigEndian
        let words = bytes.words(at: 0, count: bytes.count / 4, bigEndian: bigEndian) ?? []
        let size = reader.elf.sections[target].size
        var result: [Relocation] = []
        result.reserveCapacity(words.count / 4)
        for first in stride(from: 0, to: words.count, by: 4) {
            func fail(_ message: String) -> BPFObjectError {
                BPFObjectError(
                    file: reader.path, section: section.name, offset: first * 4, message)
            }
            // r_offset and r_info, whose upper half is the symbol.
            let high = bigEndian ? 0 : 1
            let place = UInt64(words[first + high]) << 32 | UInt64(words[first + 1 - high])
            let number = Int(words[first + 2 + high])
            guard number < reader.symbols.count else {
                throw fail("symbol \(number) does not exist (of \(reader.symbols.count))")
            }
            guard place < size, place % 8 == 0, let place = Int(exactly: place) else {
                throw fail(
                    "offset 0x\(String(place, radix: 16)) is not a word inside the section (size \(size))"
                )
            }
            result.append(
                Relocation(place: place, symbol: reader.symbols[number], symbolNumber: number))
        }
        return result
    }
}
