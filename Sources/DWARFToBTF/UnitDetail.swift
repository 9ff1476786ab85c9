// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import DWARF

/// How much a unit says of its functions.
enum UnitDetail {
    /// Their prototypes, as far as the source has any.
    case types
    /// Names and lines: compiled with -g1.
    case linesOnly
    /// The same, but a unit whose functions take and return nothing would look like that, too.
    case unclear
    /// Assembly without a type.
    case assembly
}

/// The compiler of a unit, and the level of debug information it was asked for (DW_AT_producer).
enum Producer: Equatable {
    /// nil: it does not say (`-gno-record-gcc-switches`).
    case gcc(level: Int?)
    case llvm
    case other

    init(_ text: some Sequence<UInt8>) {
        let words = Array(text).split(separator: UInt8(ascii: " "))
        if words.first?.elementsEqual("GNU".utf8) == true {
            // The assembler has no such levels.
            let isAssembler = words.dropFirst().first?.elementsEqual("AS".utf8) == true
            self = isAssembler ? .other : .gcc(level: Self.level(words))
        } else if words.contains(where: { $0.elementsEqual("clang".utf8) }) {
            self = .llvm
        } else {
            self = .other
        }
    }

    /// The level that GCC's options add up to: a number counts as it is, and the last one wins;
    /// options that name a format raise the level to 2.
    private static func level(_ words: [ArraySlice<UInt8>]) -> Int? {
        var level: Int?
        for word in words where word.starts(with: "-g".utf8) {
            let option = String(decoding: word.dropFirst(2), as: UTF8.self)
            if let number = Int(option.hasPrefix("gdb") ? option.dropFirst(3) : option[...]) {
                level = number
            } else if ["", "gdb", "dwarf", "btf"].contains(option) || option.hasPrefix("dwarf-")
                || option.hasPrefix("ctf")
            {
                level = max(level ?? 2, 2)
            }
        }
        return level
    }
}

extension UnitEncoder {
    /// What the unit's own entry and its abbreviations show.
    mutating func detail(
        of die: borrowing DIE, _ table: AbbreviationTable
    ) throws(DWARFError) -> UnitDetail {
        let producer = try producer(of: die)
        current.isFromLLVM = producer == .llvm
        if case .gcc(let level?) = producer { return level < 2 ? .linesOnly : .types }
        // LLVM does not even name functions in which nothing is inlined.
        let hasCode = die.has(.lowPC) || die.has(.ranges)
        if producer == .llvm, hasCode, !die.hasChildren { return .linesOnly }
        if table.saysTypes { return .types }
        let language = die.value(.language)
        if language == Language.assembler { return .assembly }
        switch producer {
        case .gcc: return .unclear
        case .llvm:
            guard table.hasFrames else { return .linesOnly }
            // With `-C debuginfo=1` as well.
            return language == Language.rust ? .unclear : .types
        case .other:
            let isKnown = Language.isC(language) || language == Language.rust
            return isKnown ? .unclear : .types
        }
    }

    /// In bytes. A hostile file may have many units that point into one long string.
    private static var longestProducer: Int { 65_536 }

    /// Units that are compiled alike share the string.
    private mutating func producer(of die: borrowing DIE) throws(DWARFError) -> Producer {
        guard die.has(.producer) else { return .other }
        let place = try data.place(
            of: die.value(.producer), form: die.form(.producer), unit: current.unit,
            strOffsetsBase: current.strOffsetsBase, inTypes: current.inTypes, at: die.offset)
        if let lastProducer, lastProducer.place == place { return lastProducer.producer }
        let text = try bytes(of: place, die.offset, longest: Self.longestProducer)
        let producer = Producer(text.array)
        lastProducer = references.links.inAlternate ? nil : (place, producer)
        return producer
    }
}
