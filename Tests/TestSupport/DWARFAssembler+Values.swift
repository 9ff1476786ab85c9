// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import DWARF

/// Unsigned LEB128 (DWARF 5 section 7.6).
package func uleb(_ value: UInt64) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    repeat {
        bytes.append(UInt8(rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
        rest >>= 7
    } while rest != 0
    return bytes
}

/// Signed LEB128.
package func sleb(_ value: Int64) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    while true {
        let byte = UInt8(truncatingIfNeeded: rest & 0x7f)
        rest >>= 7
        if rest == 0 && byte & 0x40 == 0 || rest == -1 && byte & 0x40 != 0 { return bytes + [byte] }
        bytes.append(byte | 0x80)
    }
}

/// Five bytes, whatever the value.
func paddedULEB(_ value: UInt64) -> [UInt8] {
    (0..<5).map { UInt8(truncatingIfNeeded: value >> UInt64(7 * $0)) & 0x7f | ($0 < 4 ? 0x80 : 0) }
}

extension DWARFAssembler {
    /// Writes a value as its form says (DWARF 5 section 7.5.6).
    mutating func put(_ form: Form, _ value: DWARFAttribute.Value) {
        if case .entry(let label) = value {
            let size =
                switch form {
                case .ref1: 1
                case .ref2: 2
                case .ref4: 4
                case .ref8: 8
                case .refUdata: 5
                case .refAddr: flavor.version <= 2 ? Int(flavor.addressSize) : offsetSize
                default: offsetSize
                }
            return addFixup(form: form, label, size: size)
        }
        if case .indirect(let inner, let innerValue) = value {
            append(contentsOf: uleb(UInt64(inner.rawValue)))
            return put(inner, innerValue)
        }
        switch form {
        case .flagPresent, .implicitConst: break
        case .data1, .flag, .ref1, .strx1, .addrx1: append(bits(form, value), 1)
        case .data2, .ref2, .strx2, .addrx2: append(bits(form, value), 2)
        case .strx3, .addrx3: append(bits(form, value), 3)
        case .data4, .ref4, .strx4, .addrx4, .refSup4: append(bits(form, value), 4)
        case .data8, .ref8, .refSig8, .refSup8: append(bits(form, value), 8)
        case .addr: append(bits(form, value), Int(flavor.addressSize))
        case .refAddr:
            append(bits(form, value), flavor.version <= 2 ? Int(flavor.addressSize) : offsetSize)
        case .strp, .lineStrp, .strpSup, .gnuStrpAlt, .gnuRefAlt, .secOffset:
            append(bits(form, value), offsetSize)
        case .sdata: append(contentsOf: sleb(Int64(bitPattern: bits(form, value))))
        case .string:
            if case .text(let text) = value { append(contentsOf: Array(text.utf8) + [0]) }
        case .data16: append(contentsOf: bytes(value))
        case .block1: append(contentsOf: number(UInt64(bytes(value).count), 1) + bytes(value))
        case .block2: append(contentsOf: number(UInt64(bytes(value).count), 2) + bytes(value))
        case .block4: append(contentsOf: number(UInt64(bytes(value).count), 4) + bytes(value))
        case .block, .exprloc: append(contentsOf: uleb(UInt64(bytes(value).count)) + bytes(value))
        default: append(contentsOf: uleb(bits(form, value)))
        }
    }

    private mutating func bits(_ form: Form, _ value: DWARFAttribute.Value) -> UInt64 {
        switch value {
        case .number(let number): return number
        case .signed(let number): return UInt64(bitPattern: number)
        case .text(let text):
            switch form {
            case .strp: return string(text)
            case .lineStrp: return lineString(text)
            default: return stringIndex(text)
            }
        case .bytes, .entry, .indirect: return 0
        }
    }

    private func bytes(_ value: DWARFAttribute.Value) -> [UInt8] {
        if case .bytes(let bytes) = value { bytes } else { [] }
    }
}

// MARK: Attributes as compilers write them

extension DWARFAttribute {
    package static func name(_ text: String, form: Form = .strp) -> DWARFAttribute {
        DWARFAttribute(.name, form, .text(text))
    }
    package static func type(_ label: String, form: Form = .ref4) -> DWARFAttribute {
        DWARFAttribute(.type, form, .entry(label))
    }
    package static func origin(_ label: String, form: Form = .ref4) -> DWARFAttribute {
        DWARFAttribute(.abstractOrigin, form, .entry(label))
    }
    package static func specification(_ label: String) -> DWARFAttribute {
        DWARFAttribute(.specification, .ref4, .entry(label))
    }
    package static func sibling(_ label: String) -> DWARFAttribute {
        DWARFAttribute(.sibling, .ref4, .entry(label))
    }
    package static func byteSize(_ bytes: UInt64) -> DWARFAttribute {
        DWARFAttribute(.byteSize, .udata, .number(bytes))
    }
    /// A DW_ATE code: 2 bool, 4 float, 5 signed, 6 signed char, 7 unsigned, 8 unsigned char.
    package static func encoding(_ code: UInt64) -> DWARFAttribute {
        DWARFAttribute(.encoding, .data1, .number(code))
    }
    package static func memberOffset(_ bytes: UInt64) -> DWARFAttribute {
        DWARFAttribute(.dataMemberLocation, .udata, .number(bytes))
    }
    package static func bitSize(_ bits: UInt64) -> DWARFAttribute {
        DWARFAttribute(.bitSize, .data1, .number(bits))
    }
    package static func dataBitOffset(_ bits: UInt64) -> DWARFAttribute {
        DWARFAttribute(.dataBitOffset, .udata, .number(bits))
    }
    package static func value(_ number: Int64) -> DWARFAttribute {
        DWARFAttribute(.constValue, .sdata, .signed(number))
    }
    package static func upperBound(_ bound: UInt64, form: Form = .udata) -> DWARFAttribute {
        DWARFAttribute(.upperBound, form, .number(bound))
    }
    package static func count(_ count: UInt64) -> DWARFAttribute {
        DWARFAttribute(.count, .udata, .number(count))
    }
    package static func expression(_ bytes: [UInt8]) -> DWARFAttribute {
        DWARFAttribute(.location, .exprloc, .bytes(bytes))
    }
    package static func lowPC(_ address: UInt64) -> DWARFAttribute {
        DWARFAttribute(.lowPc, .addr, .number(address))
    }
    package static func language(_ code: UInt64) -> DWARFAttribute {
        DWARFAttribute(.language, .data2, .number(code))
    }
    package static var declaration: DWARFAttribute { flag(.declaration) }
    package static var external: DWARFAttribute { flag(.external) }
    package static var prototyped: DWARFAttribute { flag(Attribute(rawValue: 0x27)) }

    private static func flag(_ attribute: Attribute) -> DWARFAttribute {
        DWARFAttribute(attribute, .flag, .number(1))
    }
}
