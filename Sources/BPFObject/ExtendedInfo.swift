// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
import Bytes
import ELF

/// The contents of `.BTF.ext` about the instructions in an object's sections
/// (Documentation/bpf/btf.rst 3.1). Read completely or refused: libbpf drops all of it, without
/// telling the user, if a part is damaged.
package struct ExtendedInfo: Sendable, Equatable {
    /// The type of each function.
    package internal(set) var functionTypes: [FunctionType] = []
    /// Accesses that depend on the running kernel's types (CO-RE).
    package internal(set) var relocations: [FieldRelocation] = []
    /// The number of instructions with a source line.
    package internal(set) var lineCount = 0

    package struct FunctionType: Sendable, Equatable {
        /// The section's name.
        package let section: String
        /// Bytes from its start.
        package let offset: Int
        package let type: TypeID
    }

    package struct FieldRelocation: Sendable, Equatable {
        package let section: String
        package let offset: Int
        package let type: TypeID
        /// The accessed member: "0:1:2".
        package let access: String
        /// enum bpf_core_relo_kind.
        package let kind: UInt32
    }

    static func read(_ reader: ObjectReader) throws(BPFObjectError) -> ExtendedInfo {
        let sections = reader.elf.sections.filter { reader.roles[$0.index] == .btfExt }
        guard let section = sections.first else { return ExtendedInfo() }
        guard sections.count == 1 else {
            throw BPFObjectError(
                file: reader.path, section: section.name,
                "\(sections.count) sections have this name")
        }
        var parser = ExtendedInfoParser(
            reader: reader, section: section.name, bytes: try reader.bytes(of: section))
        try parser.parse()
        return parser.info
    }
}

private struct ExtendedInfoParser {
    let reader: ObjectReader
    let section: String
    let bytes: ByteView
    /// The first section with each name.
    private let sections: [String: ELFSection]
    var info = ExtendedInfo()

    init(reader: ObjectReader, section: String, bytes: ByteView) {
        self.reader = reader
        self.section = section
        self.bytes = bytes
        sections = Dictionary(
            reader.elf.sections.dropFirst().map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first })
    }

    private func fail(_ offset: Int, _ message: String) -> BPFObjectError {
        BPFObjectError(file: reader.path, section: section, offset: offset, message)
    }

    private func word(_ offset: Int) throws(BPFObjectError) -> UInt32 {
        guard
            let words = bytes.words(at: offset, count: 1, bigEndian: reader.elf.isBigEndian)
        else { throw fail(offset, "the section ends after \(bytes.count) bytes") }
        return words[0]
    }

    mutating func parse() throws(BPFObjectError) {
        let magic = reader.elf.isBigEndian ? [UInt8](arrayLiteral: 0xeb, 0x9f) : [0x9f, 0xeb]
        guard bytes.bytes(at: 0, count: 2) == magic else {
            throw fail(0, "no BTF magic number in the file's byte order")
        }
        guard bytes.bytes(at: 2, count: 2) == [1, 0] else {
            throw fail(2, "unknown version or flags, expected version 1 and no flags")
        }
        let length = Int(try word(4))
        // func_info and line_info; core_relo since Linux 5.4.
        guard length >= 24, length <= bytes.count, length % 4 == 0 else {
            throw fail(4, "header length \(length), expected 24 to the section's \(bytes.count)")
        }
        try part(at: 8, header: length, record: 8) { (info, reader, section, offset, words) in
            let type = TypeID(words[1])
            guard reader.btf.record(type)?.kind == .func else {
                return "function at +0x\(String(offset, radix: 16)): type \(type) is not a function"
            }
            info.functionTypes.append(.init(section: section, offset: offset, type: type))
            return nil
        }
        try part(at: 16, header: length, record: 16) { (info, reader, _, offset, words) in
            guard Int(words[1]) < reader.btf.strings.count,
                Int(words[2]) < reader.btf.strings.count
            else { return "line at +0x\(String(offset, radix: 16)): its text is not in .BTF" }
            info.lineCount += 1
            return nil
        }
        guard length >= 32 else { return }
        try part(at: 24, header: length, record: 16) { (info, reader, section, offset, words) in
            let type = TypeID(words[1])
            let place = "relocation at +0x\(String(offset, radix: 16))"
            guard reader.btf.record(type) != nil else { return "\(place): no type \(type)" }
            guard let access = reader.btf.stringBytes(at: words[2], atMost: 512), !access.isEmpty
            else { return "\(place): no access string of at most 512 bytes" }
            // BPF_CORE_TYPE_MATCHES is the last one.
            guard words[3] <= 12 else { return "\(place): unknown kind \(words[3])" }
            info.relocations.append(
                .init(
                    section: section, offset: offset, type: type,
                    access: String(decoding: access, as: UTF8.self), kind: words[3]))
            return nil
        }
    }

    private typealias Take = (
        inout ExtendedInfo, ObjectReader, _ section: String, _ offset: Int, [UInt32]
    ) -> String?

    /// Reads one of the tables: a record size, then for each section its name, a count and records.
    ///
    /// - Parameters:
    ///   - field: offset in the header of the table's offset and length.
    ///   - record: the minimum size of a record.
    ///   - take: called with a record's words; returns what is wrong.
    private mutating func part(
        at field: Int, header: Int, record least: Int, _ take: Take
    ) throws(BPFObjectError) {
        let place = Int(try word(field))
        let length = Int(try word(field + 4))
        if length == 0 { return }
        var at = header + place
        // Sums of 32-bit values.
        let end = at + length
        guard place % 4 == 0, length % 4 == 0, length >= 4, end <= bytes.count else {
            throw fail(
                field,
                "a table of \(length) bytes at \(place) is not inside the section's \(bytes.count)")
        }
        let size = Int(try word(at))
        guard size >= least, size % 4 == 0 else {
            throw fail(at, "record size \(size), expected at least \(least) and a multiple of 4")
        }
        at += 4
        var seen: Set<Int> = []
        while at < end {
            guard end - at >= 8 else {
                throw fail(at, "the header of a section's records is truncated")
            }
            let name = try reader.name(at: try word(at))
            let count = Int(try word(at + 4))
            guard let target = sections[name] else {
                throw fail(at, "section '\(name)' does not exist")
            }
            // No compiler or linker does that, and libbpf searches the section each time.
            guard seen.insert(target.index).inserted else {
                throw fail(at, "section '\(name)' already has records")
            }
            guard count > 0, (end - at - 8) / size >= count else {
                throw fail(
                    at + 4,
                    "\(count) records of \(size) bytes, but \(end - at - 8) bytes are left")
            }
            at += 8
            for _ in 0..<count {
                guard
                    let words = bytes.words(
                        at: at, count: least / 4, bigEndian: reader.elf.isBigEndian)
                else { throw fail(at, "a record is truncated") }
                let offset = Int(words[0])
                guard offset % Instruction.size == 0, UInt64(offset) < target.size else {
                    throw fail(
                        at,
                        "offset \(offset) is not an instruction of \(name) (\(target.size) bytes)")
                }
                if let fault = take(&info, reader, name, offset, words) { throw fail(at, fault) }
                at += size
            }
        }
    }
}
