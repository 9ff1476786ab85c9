// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import DWARF
import DWARFToBTF
import ELF
import Glibc
import HostIO
import TestSupport
import Testing

/// What encoding gave: the BTF, and why things were left out.
struct Outcome {
    let btf: BTF
    let ledger: [String]

    /// One line per type that has a name or that nothing refers to, without ids:
    ///
    ///     struct s: size 16 { next: *struct s @0; flags: unsigned int @64:3 }
    var lines: [String] {
        let referenced = Set(btf.ownRecords.flatMap(\.references))
        return btf.ownRecords.filter { record in
            record.kind == .func || record.kind == .var || record.kind == .datasec
                || record.kind == .declTag || !referenced.contains(record.id)
                || (!record.name.isEmpty && record.kind != .typeTag)
        }.map { Sketch(btf).line($0) }
    }

    /// The line of the only type with this name; all of them, joined, when there are several.
    func line(_ name: String) -> String {
        btf.ownRecords.filter { $0.name == name }.map { Sketch(btf).line($0) }.joined(
            separator: " | ")
    }

    var count: Int { btf.ownIDs.count }

    /// How many types of this kind there are.
    func count(_ kind: Kind) -> Int { btf.ownRecords.count { $0.kind == kind } }
}

/// Encodes what `asm` assembled.
func encoded(
    _ asm: DWARFAssembler, features: Features = .legacy, base: BTF? = nil,
    excluding: Set<UInt64> = [], target: TargetRules? = nil, jobs: Int = 1,
    image change: (inout DWARFImage) -> Void = { _ in }
) throws -> Outcome {
    var image = asm.image()
    change(&image)
    return try encoded(
        image.file(), features: features, base: base, excluding: excluding, target: target,
        jobs: jobs)
}

func encoded(
    _ elf: ELFFile, features: Features = .legacy, base: BTF? = nil,
    excluding: Set<UInt64> = [], target: TargetRules? = nil, jobs: Int = 1
) throws -> Outcome {
    var options = EncodeOptions()
    options.jobs = jobs
    options.features = features
    options.target = target
    options.excludedLanguages = excluding
    options.keepsLedger = true
    let data = try DWARFData(elf, readsRanges: features.contains(.inlineSites))
    let result = try encode(elf, data, base: base.map { BaseIndex($0) }, options: options)
    let ledger = (result.ledger?.entries ?? []).map { "\($0.name): \($0.reason.rawValue)" }
    guard !result.bytes.isEmpty else {
        return Outcome(btf: try BTFAssembler(base: base).parse(), ledger: ledger)
    }
    let btf = try BTF.parse(ByteView(result.bytes), base: base)
    #expect(btf.ownIDs.count == result.typeCount)
    #expect(btf.bigEndian == elf.isBigEndian)
    // Whatever the input, nothing dangles and nothing is there twice.
    for record in btf.ownRecords {
        for id in record.references { #expect(id.rawValue < btf.typeCount) }
    }
    #expect(repeats(in: btf).isEmpty, "\(repeats(in: btf).map { "\($0.own) = \($0.of)" })")
    return Outcome(btf: btf, ledger: ledger)
}

/// Types as text that does not depend on ids.
struct Sketch {
    let btf: BTF
    init(_ btf: BTF) { self.btf = btf }

    func line(_ record: Record) -> String {
        let name = record.name
        switch record.kind {
        case .int:
            let word = record.fixed(0)
            let flags = [(UInt32(1), "signed"), (2, "char"), (4, "bool")]
                .filter { word >> 24 & $0.0 != 0 }.map { " " + $0.1 }.joined()
            let shift = word >> 16 & 0xff
            return "int \(name): size \(record.size)\(shift == 0 ? "" : " shift \(shift)")"
                + " bits \(word & 0xff)\(flags)"
        case .float: return "float \(name): size \(record.size)"
        case .struct, .union, .enum, .enum64: return "\(word(record)) \(name): \(body(record))"
        case .fwd: return "forward \(record.flag ? "union" : "struct") \(name)"
        case .typedef: return "typedef \(name): \(text(record.type))"
        case .func: return "func \(name)\(linkage(record)): \(text(record.type))"
        case .var: return "var \(name)\(linkage(record)): \(text(record.type))"
        case .datasec:
            let entries = (0..<record.count).map { index in
                let variable = btf.record(TypeID(record.element(index, 0)))?.name ?? "?"
                return "\(variable) @\(record.element(index, 1)) \(record.element(index, 2))"
            }
            return "section \(name): size \(record.size) { \(entries.joined(separator: "; ")) }"
        case .declTag:
            let component = Int32(bitPattern: record.fixed(0))
            return "tag \(name): \(text(record.type))" + (component < 0 ? "" : " part \(component)")
        default: return text(record.id)
        }
    }

    private func linkage(_ record: Record) -> String {
        ["", " global", " extern"][Int(record.linkage)]
    }

    private func word(_ record: Record) -> String {
        switch record.kind {
        case .union: "union"
        case .enum: "enum"
        case .enum64: "enum64"
        default: "struct"
        }
    }

    private func body(_ record: Record, depth: Int = 0) -> String {
        let parts: [String]
        if record.kind.isComposite {
            parts = record.members.map { member in
                let width = member.bitfieldSize == 0 ? "" : ":\(member.bitfieldSize)"
                return "\(member.name): \(text(member.type, depth: depth + 1))"
                    + " @\(member.bitOffset)\(width)"
            }
        } else {
            parts = record.enumValues.map {
                "\($0.name) = \(record.flag ? "\(Int64(bitPattern: $0.bits))" : "\($0.bits)")"
            }
        }
        let signed = record.kind.isAnyEnum && record.flag ? " signed" : ""
        return "size \(record.size)\(signed) { \(parts.joined(separator: "; ")) }"
    }

    /// A reference: names where there are any, anonymous types written out.
    func text(_ id: TypeID, depth: Int = 0) -> String {
        if id == .void { return "void" }
        guard let record = btf.record(id) else { return "?" }
        guard depth < 12 else { return "…" }
        func inner(_ id: TypeID) -> String { text(id, depth: depth + 1) }
        switch record.kind {
        case .int, .float, .typedef: return record.name
        case .struct, .union, .enum, .enum64:
            return record.name.isEmpty
                ? "\(word(record)) \(body(record, depth: depth))" : "\(word(record)) \(record.name)"
        case .fwd: return "forward \(record.name)"
        case .ptr: return "*" + inner(record.type)
        case .const: return "const " + inner(record.type)
        case .volatile: return "volatile " + inner(record.type)
        case .restrict: return "restrict " + inner(record.type)
        case .typeTag: return "tag(\(record.name)) " + inner(record.type)
        case .array:
            let index = inner(TypeID(record.fixed(1)))
            return "[\(record.fixed(2))\(index == "int" ? "" : " by \(index)")]"
                + inner(TypeID(record.fixed(0)))
        case .funcProto:
            let parts = (0..<record.count).map { index in
                let type = TypeID(record.element(index, 1))
                return type == .void ? "..." : "\(record.elementName(index)): \(inner(type))"
            }
            return "(\(parts.joined(separator: ", "))) -> \(inner(record.type))"
        case .func: return "func " + record.name
        case .var: return "var " + record.name
        default: return record.kind.word + " " + record.name
        }
    }
}

// MARK: Compilers

let hasGCC = shell("command -v gcc")
let hasClang = shell("command -v clang-16")

/// Compiles C sources, links them into one relocatable file, and encodes that.
///
/// - Parameter linker: for several sources, or any number if it is given.
func compiled(
    _ sources: [String], with compiler: String, linker: String? = nil,
    features: Features = .legacy, base: BTF? = nil
) throws -> Outcome {
    let scratch = try Scratch()
    defer { withExtendedLifetime(scratch) {} }
    let folder = scratch.path
    for (index, source) in sources.enumerated() {
        try AtomicFile.replace("\(folder)/\(index).c", with: [ByteView(Array(source.utf8))])
        let done = shell("cd \(folder) && \(compiler) -w -c \(index).c -o \(index).o")
        try #require(done, "\(compiler) does not take:\n\(source)")
    }
    let objects = sources.indices.map { "\($0).o" }.joined(separator: " ")
    let link =
        sources.count == 1 && linker == nil
        ? "mv \(objects) all.o" : "\(linker ?? "ld -r") \(objects) -o all.o"
    try #require(shell("cd \(folder) && \(link)"))
    let elf = try ELFFile(
        path: "\(folder)/all.o", separation: features.sectionSeparation)
    return try encoded(elf, features: features, base: base)
}
