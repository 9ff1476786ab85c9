// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Writes types as `bpftool btf dump` does without options: one line per type, then one line per
/// element, indented by a tab.
struct RawDumper {
    let types: TypeTable

    func dump(_ id: UInt32, to out: inout DumpOutput) {
        guard id != 0 else { return out.text.put("[0] UNKNOWN '(anon)'\n") }
        types.withRecord(id) { dump(id, $0, $1, to: &out) }
    }

    private func dump(
        _ id: UInt32, _ words: [UInt32], _ start: Int, to out: inout DumpOutput
    ) {
        let info = TypeInfo(rawValue: words[start + 1])
        let third = words[start + 2]
        out.text.put(byte: 91)
        out.text.put(id)
        out.text.put("] ")
        types.put(kindWord: info, to: &out.text)
        out.text.put(byte: 32)
        putName(words[start], to: &out)
        switch (info.kind ?? .unknown).role {
        case .integer:
            let data = words[start + 3]
            putField(" size=", third, to: &out)
            putField(" bits_offset=", data >> 16 & 0xff, to: &out)
            putField(" nr_bits=", data & 0xff, to: &out)
            out.text.put(" encoding=")
            out.text.put(intEncodingName(data >> 24 & 0xf))
        case .pointer, .qualifier, .alias, .typeTag:
            putField(" type_id=", third, to: &out)
        case .array:
            putField(" type_id=", words[start + 3], to: &out)
            putField(" index_type_id=", words[start + 4], to: &out)
            putField(" nr_elems=", words[start + 5], to: &out)
        case .composite:
            putField(" size=", third, to: &out)
            putField(" vlen=", UInt32(info.vlen), to: &out)
            putMembers(info, words, start + 3, to: &out)
        case .enumeration:
            out.text.put(info.flag ? " encoding=SIGNED" : " encoding=UNSIGNED")
            putField(" size=", third, to: &out)
            putField(" vlen=", UInt32(info.vlen), to: &out)
            putValues(info, words, start + 3, to: &out)
        case .forward:
            out.text.put(info.flag ? " fwd_kind=union" : " fwd_kind=struct")
        case .function:
            putField(" type_id=", third, to: &out)
            out.text.put(" linkage=")
            out.text.put(linkageName(UInt32(info.vlen)))
        case .prototype:
            putField(" ret_type_id=", third, to: &out)
            putField(" vlen=", UInt32(info.vlen), to: &out)
            var at = start + 3
            for _ in 0..<info.vlen where out.next() {
                out.text.put("\n\t")
                putName(words[at], to: &out)
                putField(" type_id=", words[at + 1], to: &out)
                at += 2
            }
        case .variable:
            putField(" type_id=", third, to: &out)
            out.text.put(", linkage=")
            out.text.put(linkageName(words[start + 3]))
        case .section:
            putField(" size=", third, to: &out)
            putField(" vlen=", UInt32(info.vlen), to: &out)
            putEntries(info, words, start + 3, to: &out)
        case .float:
            putField(" size=", third, to: &out)
        case .declarationTag:
            putField(" type_id=", third, to: &out)
            out.text.put(" component_idx=")
            out.text.put(Int64(Int32(bitPattern: words[start + 3])))
        case .location:
            putField(" size=", third, to: &out)
            out.text.put(" flags=0x")
            out.text.put(hex: UInt64(words[start + 3]))
            putField(" vlen=", UInt32(info.vlen), to: &out)
            out.text.put(" values='")
            out.text.put(text: types.location(id))
            out.text.put(byte: 39)
        case .locationPrototype:
            putField(" vlen=", UInt32(info.vlen), to: &out)
            for index in 0..<info.vlen where out.next() {
                let place = words[start + 3 + index]
                putField("\n\ttype_id=", place, to: &out)
                guard types.kindIfAny(place) == .locParam else { continue }
                out.text.put(" value='")
                out.text.put(text: types.location(place))
                out.text.put(byte: 39)
            }
        case .locationSection:
            putField(" vlen=", UInt32(info.vlen), to: &out)
            putSites(info, words, start + 3, to: &out)
        case .unknown:
            putField(" vlen=", UInt32(info.vlen), to: &out)
        }
        out.text.put(byte: 10)
    }

    private func putMembers(
        _ info: TypeInfo, _ words: [UInt32], _ first: Int, to out: inout DumpOutput
    ) {
        var at = first
        for _ in 0..<info.vlen where out.next() {
            let place = words[at + 2]
            out.text.put("\n\t")
            putName(words[at], to: &out)
            putField(" type_id=", words[at + 1], to: &out)
            putField(" bits_offset=", info.flag ? place & 0xff_ffff : place, to: &out)
            if info.flag, place >> 24 != 0 {
                putField(" bitfield_size=", place >> 24, to: &out)
            }
            at += 3
        }
    }

    private func putValues(
        _ info: TypeInfo, _ words: [UInt32], _ first: Int, to out: inout DumpOutput
    ) {
        let isWide = info.kind == .enum64
        var at = first
        for _ in 0..<info.vlen where out.next() {
            let low = words[at + 1]
            out.text.put("\n\t")
            putName(words[at], to: &out)
            out.text.put(" val=")
            if isWide {
                let value = UInt64(words[at + 2]) << 32 | UInt64(low)
                if info.flag {
                    out.text.put(Int64(bitPattern: value))
                    out.text.put("LL")
                } else {
                    out.text.put(value)
                    out.text.put("ULL")
                }
            } else if info.flag {
                out.text.put(Int64(Int32(bitPattern: low)))
            } else {
                out.text.put(low)
            }
            at += isWide ? 3 : 2
        }
    }

    private func putEntries(
        _ info: TypeInfo, _ words: [UInt32], _ first: Int, to out: inout DumpOutput
    ) {
        var at = first
        for _ in 0..<info.vlen where out.next() {
            let variable = words[at]
            out.text.put("\n\t")
            putField("type_id=", variable, to: &out)
            putField(" offset=", words[at + 1], to: &out)
            putField(" size=", words[at + 2], to: &out)
            at += 3
            guard variable < types.typeCount else { continue }
            out.text.put(" (")
            if variable == 0 {
                out.text.put("UNKNOWN")
            } else {
                types.put(kindWord: types.info(variable), to: &out.text)
            }
            out.text.put(byte: 32)
            putName(variable == 0 ? 0 : types.nameOffset(variable), to: &out)
            out.text.put(byte: 41)
        }
    }

    private func putSites(
        _ info: TypeInfo, _ words: [UInt32], _ first: Int, to out: inout DumpOutput
    ) {
        var at = first
        for _ in 0..<info.vlen where out.next() {
            let function = words[at]
            out.text.put("\n\tname=")
            putName(types.exists(function) ? types.nameOffset(function) : 0, to: &out)
            putField(" func_type_id=", function, to: &out)
            putField(" loc_proto_type_id=", words[at + 1], to: &out)
            putField(" offset=", words[at + 2], to: &out)
            at += 3
        }
    }

    @inline(__always)
    private func putName(_ offset: UInt32, to out: inout DumpOutput) {
        out.text.put(byte: 39)
        types.put(name: offset, to: &out.text)
        out.text.put(byte: 39)
    }

    @inline(__always)
    private func putField(_ label: StaticString, _ value: UInt32, to out: inout DumpOutput) {
        out.text.put(label)
        out.text.put(value)
    }
}

/// bpftool's word for the encoding bits of an INT.
func intEncodingName(_ bits: UInt32) -> StaticString {
    switch bits {
    case 0: "(none)"
    case IntEncoding.signed: "SIGNED"
    case IntEncoding.char: "CHAR"
    case IntEncoding.bool: "BOOL"
    default: "UNKN"
    }
}

func linkageName(_ raw: UInt32) -> StaticString {
    switch raw {
    case 0: "static"
    case 1: "global"
    case 2: "extern"
    default: "(unknown)"
    }
}
