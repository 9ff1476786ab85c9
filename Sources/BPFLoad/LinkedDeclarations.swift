// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF

/// Corrects what libbpf's linker gets wrong about variables that an object declares in a named
/// section: those of `.addr_space.1`, maps of other objects, `extern int x SEC(".data.x")`. Seen up
/// to libbpf 1.8.
///
/// - Without a definition, the symbol is placed at the start of the section, on top of other
///   contents. It must stay undefined.
/// - If the definition comes later, the symbol gets its offset, but the DATASEC keeps offset 0. It
///   gets the offset, and its entries are sorted by offset, as libbpf itself has them after
///   loading.
struct LinkedDeclarations {
    private let made: ByteView
    private let path: String

    init(_ made: ByteView, path: String) {
        self.made = made
        self.path = path
    }

    /// The corrected object; nil if nothing needs correction, or it is not libbpf's output.
    func corrected() -> ByteView? {
        guard let elf = try? ELFFile(made, path: path), elf.is64Bit, let table = elf.symbolTable,
            let section = elf.section(named: ".BTF"), let raw = try? elf.rawData(of: section),
            let btf = try? BTF.parse(raw), let symbols = try? elf.symbols(),
            let strings = try? elf.symbolStrings()
        else { return nil }
        var patch = Patch(bytes: made.array, bigEndian: elf.isBigEndian)
        let types = Int(section.offset) + btf.header.length + btf.header.typeOffset
        var numbers: [Name: Int] = [:]
        for (number, symbol) in symbols.enumerated() where symbol.binding != ELFSymbolCode.bindLocal
        {
            guard let index = symbol.sectionIndex, let name = symbol.name(in: strings) else {
                continue
            }
            numbers[Name(section: index, text: String(decoding: name.array, as: UTF8.self))] =
                number
        }
        for datasec in btf.ownRecords where datasec.kind == .datasec {
            guard let target = elf.section(named: datasec.name)?.index else { continue }
            var entries: [[UInt32]] = []
            var isMoved = false
            for index in 0..<datasec.count {
                var entry = (0..<3).map { datasec.element(index, $0) }
                if let variable = btf.record(TypeID(entry[0])), variable.kind == .var,
                    variable.linkage != Linkage.static.rawValue,
                    let number = numbers[Name(section: target, text: variable.name)]
                {
                    let symbol = symbols[number]
                    if variable.linkage == Linkage.extern.rawValue {
                        guard symbol.type == ELFSymbolCode.typeNone else { return nil }
                        patch.undefine(Int(table.offset) + number * 24)
                    } else if symbol.value != UInt64(entry[1]) {
                        entry[1] = UInt32(truncatingIfNeeded: symbol.value)
                        isMoved = true
                    }
                }
                entries.append(entry)
            }
            guard isMoved else { continue }
            let sorted = entries.enumerated().sorted {
                ($0.element[1], $0.offset) < ($1.element[1], $1.offset)
            }
            let start = types + Int(btf.starts[Int(datasec.id.rawValue - btf.firstID)]) * 4 + 12
            for (index, word) in sorted.flatMap(\.element).enumerated() {
                patch.put(word, at: start + index * 4)
            }
        }
        return patch.isChanged ? ByteView(patch.bytes) : nil
    }

    /// A global symbol.
    private struct Name: Hashable {
        let section: Int
        let text: String
    }

    private struct Patch {
        var bytes: [UInt8]
        let bigEndian: Bool
        var isChanged = false

        mutating func put(_ word: UInt32, at place: Int) {
            guard place >= 0, place <= bytes.count - 4 else { return }
            for index in 0..<4 {
                bytes[place + index] = UInt8(
                    truncatingIfNeeded: word >> (bigEndian ? 24 - 8 * index : 8 * index))
            }
            isChanged = true
        }

        /// Clears `st_shndx` and `st_value` of the symbol at `place`.
        mutating func undefine(_ place: Int) {
            guard place >= 0, place <= bytes.count - 24 else { return }
            for index in 6..<16 { bytes[place + index] = 0 }
            isChanged = true
        }
    }
}
