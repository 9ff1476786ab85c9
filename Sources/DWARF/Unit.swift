// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
internal import HostIO

/// How a unit's entries are encoded, according to its header.
package struct UnitEncoding: Hashable, Sendable {
    package let version: UInt16
    /// Bytes of an address.
    package let addressSize: UInt8
    /// 64-bit DWARF: section offsets take 8 bytes (DWARF 5 section 7.4).
    package let is64Bit: Bool
    package let bigEndian: Bool

    enum FormSize {
        case fixed(Int)
        case variable(AbbreviationStep.Operation)
    }

    /// How to skip a value of `form`; nil for an unknown form.
    func size(of form: Form) -> FormSize? {
        let offsetSize = is64Bit ? 8 : 4
        switch form {
        case .flagPresent, .implicitConst: return .fixed(0)
        case .data1, .flag, .ref1, .strx1, .addrx1: return .fixed(1)
        case .data2, .ref2, .strx2, .addrx2: return .fixed(2)
        case .strx3, .addrx3: return .fixed(3)
        case .data4, .ref4, .strx4, .addrx4, .refSup4: return .fixed(4)
        case .data8, .ref8, .refSig8, .refSup8: return .fixed(8)
        case .data16: return .fixed(16)
        case .addr: return .fixed(Int(addressSize))
        case .strp, .secOffset, .lineStrp, .strpSup, .gnuStrpAlt, .gnuRefAlt:
            return .fixed(offsetSize)
        // An address in DWARF 2, an offset since then (DWARF 3 section 7.5.4).
        case .refAddr: return .fixed(version <= 2 ? Int(addressSize) : offsetSize)
        case .sdata, .udata, .refUdata, .strx, .addrx, .loclistx, .rnglistx, .gnuAddrIndex,
            .gnuStrIndex:
            return .variable(.skipLEB)
        case .string: return .variable(.skipString)
        case .block1: return .variable(.skipBlock1)
        case .block2: return .variable(.skipBlock2)
        case .block4: return .variable(.skipBlock4)
        case .block, .exprloc: return .variable(.skipBlock)
        case .indirect: return .variable(.skipIndirect)
        default: return nil
        }
    }
}

extension UnitEncoding {
    /// The step that reads a wanted value of `form`.
    func loadOperation(of form: Form) -> AbbreviationStep.Operation {
        switch form {
        case .data1, .flag, .strx1, .addrx1: .load1
        case .data2, .strx2, .addrx2: .load2
        case .data4, .strx4, .addrx4: .load4
        case .data8: .load8
        case .ref1: .loadReference1
        case .ref2: .loadReference2
        case .ref4: .loadReference4
        case .strp, .lineStrp, .secOffset: is64Bit ? .load8 : .load4
        case .addr where addressSize == 8: .load8
        case .udata, .strx, .loclistx: .loadLEB
        case .sdata: .loadSLEB
        case .flagPresent: .loadPresent
        case .exprloc: .loadBlock
        case .string: .loadString
        default: .load
        }
    }
}

/// A unit of `.debug_info` or `.debug_types` (DWARF 5 section 7.5.1).
package struct Unit: Sendable {
    package enum Sort: UInt8, Sendable {
        case compile = 1
        case type = 2
        case partial = 3
        case skeleton = 4
        case splitCompile = 5
        case splitType = 6
    }

    package let sort: Sort
    package let encoding: UnitEncoding
    /// Byte offset of the header in the section.
    package let offset: Int
    /// Byte offset of the first entry.
    package let firstDIE: Int
    /// Byte offset of the next unit.
    package let end: Int
    package let abbreviationOffset: UInt64
    /// Type units: the signature, and the offset of the type from the section's start.
    package let signature: UInt64
    package let typeOffset: Int

    /// Reads all unit headers of a section.
    ///
    /// - Parameter isTypes: the section is DWARF 4's `.debug_types`.
    package static func all(
        in section: ByteView, named name: String, bigEndian: Bool, isTypes: Bool = false
    ) throws(DWARFError) -> [Unit] {
        var units: [Unit] = []
        var start = 0
        while start < section.count {
            // In a large section, mapping a page per unit would also map its neighbours.
            let bytes =
                section.count < 16 << 20
                ? section.slice(start, section.count - start) ?? .empty
                : MappedPages.copy(section, start, longestHeader)
            let unit = try header(
                bytes.cursor(bigEndian: bigEndian), name, at: start,
                available: section.count - start, isTypes: isTypes)
            units.append(unit)
            start = unit.end
        }
        return units
    }

    /// The unit that `section` begins with.
    static func first(
        in section: ByteView, named name: String, bigEndian: Bool, isTypes: Bool
    ) throws(DWARFError) -> Unit {
        try header(
            section.cursor(bigEndian: bigEndian), name, at: 0, available: section.count,
            isTypes: isTypes)
    }

    /// The same unit where its table of abbreviations lies elsewhere.
    func withAbbreviations(at offset: UInt64) -> Unit {
        Unit(
            sort: sort, encoding: encoding, offset: self.offset, firstDIE: firstDIE, end: end,
            abbreviationOffset: offset, signature: signature, typeOffset: typeOffset)
    }

    /// Bytes of a unit header, at most.
    private static let longestHeader = 64

    /// - Parameters:
    ///   - header: begins with the header, which is at `start` of the section.
    ///   - available: bytes from there to the section's end.
    private static func header(
        _ header: ByteCursor, _ name: String, at start: Int, available: Int, isTypes: Bool
    ) throws(DWARFError) -> Unit {
        var cursor = header
        var fault: DWARFError?
        func fail(_ message: String) -> DWARFError {
            DWARFError(section: name, offset: start, message)
        }
        do throws(ByteError) {
            let first = try cursor.readU32()
            let is64Bit = first == 0xffff_ffff
            let length = is64Bit ? try cursor.readU64() : UInt64(first)
            guard is64Bit || first < 0xffff_fff0 else {
                fault = fail("reserved unit length 0x\(String(first, radix: 16))")
                throw ByteError.truncated(offset: start)
            }
            let left = available - cursor.offset
            guard length <= UInt64(left) else {
                fault = fail(
                    "unit of \(length) bytes ends after the section (\(left) bytes left)"
                )
                throw ByteError.truncated(offset: start)
            }
            let end = start + cursor.offset + Int(length)
            let version = try cursor.readU16()
            guard (2...5).contains(version) else {
                fault = fail("DWARF version \(version), expected 2 to 5")
                throw ByteError.truncated(offset: start)
            }
            var sort: Sort = isTypes ? .type : .compile
            let addressSize: UInt8
            let abbreviations: UInt64
            if version >= 5 {
                let code = try cursor.readU8()
                guard let known = Sort(rawValue: code) else {
                    fault = fail("unknown unit type 0x\(String(code, radix: 16))")
                    throw ByteError.truncated(offset: start)
                }
                sort = known
                addressSize = try cursor.readU8()
                abbreviations = try cursor.readOffset(is64Bit: is64Bit)
            } else {
                abbreviations = try cursor.readOffset(is64Bit: is64Bit)
                addressSize = try cursor.readU8()
            }
            guard [2, 4, 8].contains(addressSize) else {
                fault = fail("address size \(addressSize), expected 2, 4 or 8")
                throw ByteError.truncated(offset: start)
            }
            var signature: UInt64 = 0
            var typeOffset: UInt64 = 0
            switch sort {
            case .type, .splitType:
                signature = try cursor.readU64()
                typeOffset = try cursor.readOffset(is64Bit: is64Bit)
            case .skeleton, .splitCompile:
                signature = try cursor.readU64()
            case .compile, .partial:
                break
            }
            guard start + cursor.offset <= end, typeOffset <= UInt64(end - start) else {
                fault = fail("unit header is longer than its unit")
                throw ByteError.truncated(offset: start)
            }
            return Unit(
                sort: sort,
                encoding: UnitEncoding(
                    version: version, addressSize: addressSize, is64Bit: is64Bit,
                    bigEndian: cursor.bigEndian),
                offset: start, firstDIE: start + cursor.offset, end: end,
                abbreviationOffset: abbreviations, signature: signature,
                typeOffset: start + Int(typeOffset))
        } catch {
            throw fault ?? DWARFError(section: name, start: start, error)
        }
    }
}
