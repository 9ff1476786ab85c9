// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Writes types as `bpftool btf dump` does without options: one line per type, then one line per
/// element, indented by a tab.
struct RawDumper {
    let types: TypeTable
    /// Elements are left out once the dump is longer than this; the caller then fails.
    let limit: Int

    func dump(_ id: UInt32, into out: inout [UInt8]) {
        let info = types.info(id)
        let kind = types.kind(id)
        out.append(91)
        out.put(id)
        out.put("] ")
        out.put(types.kindWord(id))
        out.append(32)
        putName(types.nameOffset(id), into: &out)
        let third = types.word(id, 2)
        switch kind.role {
        case .integer:
            let data = types.word(id, 3)
            putField(" size=", third, into: &out)
            putField(" bits_offset=", data >> 16 & 0xff, into: &out)
            putField(" nr_bits=", data & 0xff, into: &out)
            out.put(" encoding=")
            out.put(intEncodingName(data >> 24 & 0xf))
        case .pointer, .qualifier, .alias, .typeTag:
            putField(" type_id=", third, into: &out)
        case .array:
            putField(" type_id=", types.word(id, 3), into: &out)
            putField(" index_type_id=", types.word(id, 4), into: &out)
            putField(" nr_elems=", types.word(id, 5), into: &out)
        case .composite:
            putField(" size=", third, into: &out)
            putField(" vlen=", UInt32(info.vlen), into: &out)
            putMembers(id, into: &out)
        case .enumeration:
            out.put(info.flag ? " encoding=SIGNED" : " encoding=UNSIGNED")
            putField(" size=", third, into: &out)
            putField(" vlen=", UInt32(info.vlen), into: &out)
            putValues(id, into: &out)
        case .forward:
            out.put(info.flag ? " fwd_kind=union" : " fwd_kind=struct")
        case .function:
            putField(" type_id=", third, into: &out)
            out.put(" linkage=")
            out.put(funcLinkageName(info.vlen))
        case .prototype:
            putField(" ret_type_id=", third, into: &out)
            putField(" vlen=", UInt32(info.vlen), into: &out)
            for index in 0..<info.vlen where out.count <= limit {
                out.put("\n\t")
                putName(types.word(id, 3 + index * 2), into: &out)
                putField(" type_id=", types.word(id, 4 + index * 2), into: &out)
            }
        case .variable:
            putField(" type_id=", third, into: &out)
            out.put(", linkage=")
            out.put(varLinkageName(types.word(id, 3)))
        case .section:
            putField(" size=", third, into: &out)
            putField(" vlen=", UInt32(info.vlen), into: &out)
            putEntries(id, into: &out)
        case .float:
            putField(" size=", third, into: &out)
        case .declarationTag:
            putField(" type_id=", third, into: &out)
            out.put(" component_idx=")
            out.put(Int64(Int32(bitPattern: types.word(id, 3))))
        case .location:
            putField(" size=", third, into: &out)
            out.put(" flags=0x" + String(types.word(id, 3), radix: 16))
            putField(" vlen=", UInt32(info.vlen), into: &out)
            out.put(" values='" + types.location(id) + "'")
        case .locationPrototype:
            putField(" vlen=", UInt32(info.vlen), into: &out)
            for index in 0..<info.vlen where out.count <= limit {
                let place = types.word(id, 3 + index)
                putField("\n\ttype_id=", place, into: &out)
                guard types.kindIfAny(place) == .locParam else { continue }
                out.put(" value='" + types.location(place) + "'")
            }
        case .locationSection:
            putField(" vlen=", UInt32(info.vlen), into: &out)
            putSites(id, into: &out)
        case .unknown:
            putField(" vlen=", UInt32(info.vlen), into: &out)
        }
        out.append(10)
    }

    private func putMembers(_ id: UInt32, into out: inout [UInt8]) {
        let info = types.info(id)
        for index in 0..<info.vlen where out.count <= limit {
            let at = 3 + index * 3
            let place = types.word(id, at + 2)
            out.put("\n\t")
            putName(types.word(id, at), into: &out)
            putField(" type_id=", types.word(id, at + 1), into: &out)
            putField(" bits_offset=", info.flag ? place & 0xff_ffff : place, into: &out)
            if info.flag, place >> 24 != 0 {
                putField(" bitfield_size=", place >> 24, into: &out)
            }
        }
    }

    private func putValues(_ id: UInt32, into out: inout [UInt8]) {
        let info = types.info(id)
        let wide = types.kind(id) == .enum64
        for index in 0..<info.vlen where out.count <= limit {
            let at = 3 + index * (wide ? 3 : 2)
            let low = types.word(id, at + 1)
            out.put("\n\t")
            putName(types.word(id, at), into: &out)
            out.put(" val=")
            if wide {
                let value = UInt64(types.word(id, at + 2)) << 32 | UInt64(low)
                if info.flag {
                    out.put(Int64(bitPattern: value))
                    out.put("LL")
                } else {
                    out.put(value)
                    out.put("ULL")
                }
            } else if info.flag {
                out.put(Int64(Int32(bitPattern: low)))
            } else {
                out.put(low)
            }
        }
    }

    private func putEntries(_ id: UInt32, into out: inout [UInt8]) {
        for index in 0..<types.info(id).vlen where out.count <= limit {
            let at = 3 + index * 3
            let variable = types.word(id, at)
            out.put("\n\t")
            putField("type_id=", variable, into: &out)
            putField(" offset=", types.word(id, at + 1), into: &out)
            putField(" size=", types.word(id, at + 2), into: &out)
            guard variable < types.typeCount else { continue }
            out.put(" (")
            out.put(variable == 0 ? "UNKNOWN" : types.kindWord(variable))
            out.append(32)
            putName(variable == 0 ? 0 : types.nameOffset(variable), into: &out)
            out.append(41)
        }
    }

    private func putSites(_ id: UInt32, into out: inout [UInt8]) {
        for index in 0..<types.info(id).vlen where out.count <= limit {
            let at = 3 + index * 3
            let function = types.word(id, at)
            out.put("\n\tname=")
            putName(types.exists(function) ? types.nameOffset(function) : 0, into: &out)
            putField(" func_type_id=", function, into: &out)
            putField(" loc_proto_type_id=", types.word(id, at + 1), into: &out)
            putField(" offset=", types.word(id, at + 2), into: &out)
        }
    }

    private func putName(_ offset: UInt32, into out: inout [UInt8]) {
        out.append(39)
        out.put(displayName(offset, types))
        out.append(39)
    }

    private func putField(_ label: String, _ value: UInt32, into out: inout [UInt8]) {
        out.put(label)
        out.put(value)
    }
}

private let anonymousName: ArraySlice<UInt8> = Array("(anon)".utf8)[...]

/// The name at an offset, or what listings say instead of none.
func displayName(_ offset: UInt32, _ types: TypeTable) -> ArraySlice<UInt8> {
    offset == 0 ? anonymousName : types.string(at: offset)
}

/// bpftool's word for the encoding bits of an INT.
func intEncodingName(_ bits: UInt32) -> String {
    switch bits {
    case 0: "(none)"
    case IntEncoding.signed: "SIGNED"
    case IntEncoding.char: "CHAR"
    case IntEncoding.bool: "BOOL"
    default: "UNKN"
    }
}

func funcLinkageName(_ raw: Int) -> String {
    switch raw {
    case 0: "static"
    case 1: "global"
    case 2: "extern"
    default: "(unknown)"
    }
}

func varLinkageName(_ raw: UInt32) -> String {
    switch raw {
    case 0: "static"
    case 1: "global"
    case 2: "extern"
    default: "(unknown)"
    }
}
