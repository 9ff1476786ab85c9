// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Writes types as `bpftool -j btf dump` does: one object, one line, one element per type.
struct JSONDumper {
    let types: TypeTable

    func dump(_ id: UInt32, to out: inout DumpOutput) {
        guard id != 0 else {
            return out.text.put("{\"id\":0,\"kind\":\"UNKNOWN\",\"name\":\"(anon)\"}")
        }
        types.withRecord(id) { dump(id, $0, $1, to: &out) }
    }

    private func dump(
        _ id: UInt32, _ words: [UInt32], _ start: Int, to out: inout DumpOutput
    ) {
        let info = TypeInfo(rawValue: words[start + 1])
        let third = words[start + 2]
        out.text.put("{\"id\":")
        out.text.put(id)
        out.text.put(",\"kind\":\"")
        types.put(kindWord: info, to: &out.text)
        out.text.put("\",\"name\":")
        putName(words[start], to: &out)
        switch (info.kind ?? .unknown).role {
        case .integer:
            let data = words[start + 3]
            putField(",\"size\":", third, to: &out)
            putField(",\"bits_offset\":", data >> 16 & 0xff, to: &out)
            putField(",\"nr_bits\":", data & 0xff, to: &out)
            putWord(",\"encoding\":\"", intEncodingName(data >> 24 & 0xf), to: &out)
        case .pointer, .qualifier, .alias, .typeTag:
            putField(",\"type_id\":", third, to: &out)
        case .array:
            putField(",\"type_id\":", words[start + 3], to: &out)
            putField(",\"index_type_id\":", words[start + 4], to: &out)
            putField(",\"nr_elems\":", words[start + 5], to: &out)
        case .composite:
            putField(",\"size\":", third, to: &out)
            putElements(",\"members\":[", info.vlen, to: &out) { index, out in
                putMember(info, words, start + 3 + index * 3, to: &out)
            }
        case .enumeration:
            putWord(",\"encoding\":\"", info.flag ? "SIGNED" : "UNSIGNED", to: &out)
            putField(",\"size\":", third, to: &out)
            let isWide = info.kind == .enum64
            putElements(",\"values\":[", info.vlen, to: &out) { index, out in
                putValue(info, isWide, words, start + 3 + index * (isWide ? 3 : 2), to: &out)
            }
        case .forward:
            putWord(",\"fwd_kind\":\"", info.flag ? "union" : "struct", to: &out)
        case .function:
            putField(",\"type_id\":", third, to: &out)
            putWord(",\"linkage\":\"", linkageName(UInt32(info.vlen)), to: &out)
        case .prototype:
            putField(",\"ret_type_id\":", third, to: &out)
            putElements(",\"params\":[", info.vlen, to: &out) { index, out in
                let at = start + 3 + index * 2
                out.text.put("{\"name\":")
                putName(words[at], to: &out)
                putField(",\"type_id\":", words[at + 1], to: &out)
            }
        case .variable:
            putField(",\"type_id\":", third, to: &out)
            putWord(",\"linkage\":\"", linkageName(words[start + 3]), to: &out)
        case .section:
            putField(",\"size\":", third, to: &out)
            putElements(",\"vars\":[", info.vlen, to: &out) { index, out in
                let at = start + 3 + index * 3
                putField("{\"type_id\":", words[at], to: &out)
                putField(",\"offset\":", words[at + 1], to: &out)
                putField(",\"size\":", words[at + 2], to: &out)
            }
        case .float:
            putField(",\"size\":", third, to: &out)
        case .declarationTag:
            putField(",\"type_id\":", third, to: &out)
            out.text.put(",\"component_idx\":")
            out.text.put(Int64(Int32(bitPattern: words[start + 3])))
        case .location:
            putField(",\"size\":", third, to: &out)
            putField(",\"flags\":", words[start + 3], to: &out)
            putField(",\"vlen\":", UInt32(info.vlen), to: &out)
            out.text.put(",\"values\":\"")
            out.text.put(text: types.location(id))
            out.text.put(byte: 34)
        case .locationPrototype:
            putElements(",\"params\":[", info.vlen, to: &out) { index, out in
                putLocation(words[start + 3 + index], to: &out)
            }
        case .locationSection:
            putElements(",\"locs\":[", info.vlen, to: &out) { index, out in
                putSite(words, start + 3 + index * 3, to: &out)
            }
        case .unknown:
            putField(",\"vlen\":", UInt32(info.vlen), to: &out)
        }
        out.text.put(byte: 125)
    }

    @inline(__always)
    private func putElements(
        _ label: StaticString, _ count: Int, to out: inout DumpOutput,
        _ put: (_ index: Int, _ out: inout DumpOutput) -> Void
    ) {
        putField(",\"vlen\":", UInt32(count), to: &out)
        out.text.put(label)
        for index in 0..<count where out.next() {
            if index > 0 { out.text.put(byte: 44) }
            put(index, &out)
            out.text.put(byte: 125)
        }
        out.text.put(byte: 93)
    }

    @inline(__always)
    private func putMember(
        _ info: TypeInfo, _ words: [UInt32], _ at: Int, to out: inout DumpOutput
    ) {
        let place = words[at + 2]
        out.text.put("{\"name\":")
        putName(words[at], to: &out)
        putField(",\"type_id\":", words[at + 1], to: &out)
        putField(",\"bits_offset\":", info.flag ? place & 0xff_ffff : place, to: &out)
        if info.flag, place >> 24 != 0 {
            putField(",\"bitfield_size\":", place >> 24, to: &out)
        }
    }

    @inline(__always)
    private func putValue(
        _ info: TypeInfo, _ isWide: Bool, _ words: [UInt32], _ at: Int, to out: inout DumpOutput
    ) {
        let low = words[at + 1]
        out.text.put("{\"name\":")
        putName(words[at], to: &out)
        out.text.put(",\"val\":")
        if isWide {
            let value = UInt64(words[at + 2]) << 32 | UInt64(low)
            if info.flag { out.text.put(Int64(bitPattern: value)) } else { out.text.put(value) }
        } else if info.flag {
            out.text.put(Int64(Int32(bitPattern: low)))
        } else {
            // Like bpftool: values from 1 << 31 on are sign-extended to 64 bits although unsigned.
            out.text.put(UInt64(bitPattern: Int64(Int32(bitPattern: low))))
        }
    }

    private func putLocation(_ place: UInt32, to out: inout DumpOutput) {
        putField("{\"type_id\":", place, to: &out)
        guard types.kindIfAny(place) == .locParam else { return }
        out.text.put(",\"value\":\"")
        out.text.put(text: types.location(place))
        out.text.put(byte: 34)
    }

    private func putSite(_ words: [UInt32], _ at: Int, to out: inout DumpOutput) {
        let function = words[at]
        out.text.put("{\"name\":")
        putName(types.exists(function) ? types.nameOffset(function) : 0, to: &out)
        putField(",\"func_type_id\":", function, to: &out)
        putField(",\"loc_proto_type_id\":", words[at + 1], to: &out)
        putField(",\"offset\":", words[at + 2], to: &out)
    }

    @inline(__always)
    private func putName(_ offset: UInt32, to out: inout DumpOutput) {
        types.put(jsonName: offset, to: &out.text)
    }

    @inline(__always)
    private func putField(_ label: StaticString, _ value: UInt32, to out: inout DumpOutput) {
        out.text.put(label)
        out.text.put(value)
    }

    /// `label` opens the quote.
    @inline(__always)
    private func putWord(
        _ label: StaticString, _ word: StaticString, to out: inout DumpOutput
    ) {
        out.text.put(label)
        out.text.put(word)
        out.text.put(byte: 34)
    }
}
