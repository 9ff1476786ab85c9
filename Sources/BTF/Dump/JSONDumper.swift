// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Writes types as `bpftool -j btf dump` does: one object, one line, one element per type.
struct JSONDumper {
    let types: TypeTable
    /// Elements are left out once the dump is longer than this; the caller then fails.
    let limit: Int

    func dump(_ id: UInt32, into out: inout [UInt8]) {
        let info = types.info(id)
        let kind = types.kind(id)
        out.put("{\"id\":")
        out.put(id)
        out.put(",\"kind\":\"")
        out.put(types.kindWord(id))
        out.put("\",\"name\":")
        putName(types.nameOffset(id), into: &out)
        let third = types.word(id, 2)
        switch kind.role {
        case .integer:
            let data = types.word(id, 3)
            putField(",\"size\":", third, into: &out)
            putField(",\"bits_offset\":", data >> 16 & 0xff, into: &out)
            putField(",\"nr_bits\":", data & 0xff, into: &out)
            putWord(",\"encoding\":\"", intEncodingName(data >> 24 & 0xf), into: &out)
        case .pointer, .qualifier, .alias, .typeTag:
            putField(",\"type_id\":", third, into: &out)
        case .array:
            putField(",\"type_id\":", types.word(id, 3), into: &out)
            putField(",\"index_type_id\":", types.word(id, 4), into: &out)
            putField(",\"nr_elems\":", types.word(id, 5), into: &out)
        case .composite:
            putField(",\"size\":", third, into: &out)
            putElements(",\"members\":[", id, into: &out, putMember)
        case .enumeration:
            putWord(",\"encoding\":\"", info.flag ? "SIGNED" : "UNSIGNED", into: &out)
            putField(",\"size\":", third, into: &out)
            putElements(",\"values\":[", id, into: &out, putValue)
        case .forward:
            putWord(",\"fwd_kind\":\"", info.flag ? "union" : "struct", into: &out)
        case .function:
            putField(",\"type_id\":", third, into: &out)
            putWord(",\"linkage\":\"", funcLinkageName(info.vlen), into: &out)
        case .prototype:
            putField(",\"ret_type_id\":", third, into: &out)
            putElements(",\"params\":[", id, into: &out, putParameter)
        case .variable:
            putField(",\"type_id\":", third, into: &out)
            putWord(",\"linkage\":\"", varLinkageName(types.word(id, 3)), into: &out)
        case .section:
            putField(",\"size\":", third, into: &out)
            putElements(",\"vars\":[", id, into: &out, putEntry)
        case .float:
            putField(",\"size\":", third, into: &out)
        case .declarationTag:
            putField(",\"type_id\":", third, into: &out)
            out.put(",\"component_idx\":")
            out.put(Int64(Int32(bitPattern: types.word(id, 3))))
        case .location:
            putField(",\"size\":", third, into: &out)
            putField(",\"flags\":", types.word(id, 3), into: &out)
            putField(",\"vlen\":", UInt32(info.vlen), into: &out)
            putWord(",\"values\":\"", types.location(id), into: &out)
        case .locationPrototype:
            putElements(",\"params\":[", id, into: &out, putLocation)
        case .locationSection:
            putElements(",\"locs\":[", id, into: &out, putSite)
        case .unknown:
            putField(",\"vlen\":", UInt32(info.vlen), into: &out)
        }
        out.append(125)
    }

    private func putElements(
        _ label: String, _ id: UInt32, into out: inout [UInt8],
        _ put: (_ id: UInt32, _ index: Int, _ out: inout [UInt8]) -> Void
    ) {
        let count = types.count(id)
        putField(",\"vlen\":", UInt32(count), into: &out)
        out.put(label)
        for index in 0..<count where out.count <= limit {
            if index > 0 { out.append(44) }
            put(id, index, &out)
            out.append(125)
        }
        out.append(93)
    }

    private func putMember(_ id: UInt32, _ index: Int, into out: inout [UInt8]) {
        let flag = types.info(id).flag
        let at = 3 + index * 3
        let place = types.word(id, at + 2)
        out.put("{\"name\":")
        putName(types.word(id, at), into: &out)
        putField(",\"type_id\":", types.word(id, at + 1), into: &out)
        putField(",\"bits_offset\":", flag ? place & 0xff_ffff : place, into: &out)
        if flag, place >> 24 != 0 { putField(",\"bitfield_size\":", place >> 24, into: &out) }
    }

    private func putValue(_ id: UInt32, _ index: Int, into out: inout [UInt8]) {
        let wide = types.kind(id) == .enum64
        let signed = types.info(id).flag
        let at = 3 + index * (wide ? 3 : 2)
        let low = types.word(id, at + 1)
        out.put("{\"name\":")
        putName(types.word(id, at), into: &out)
        out.put(",\"val\":")
        if wide {
            let value = UInt64(types.word(id, at + 2)) << 32 | UInt64(low)
            if signed { out.put(Int64(bitPattern: value)) } else { out.put(value) }
        } else if signed {
            out.put(Int64(Int32(bitPattern: low)))
        } else {
            // Like bpftool: values from 1 << 31 on are sign-extended to 64 bits although unsigned.
            out.put(UInt64(bitPattern: Int64(Int32(bitPattern: low))))
        }
    }

    private func putParameter(_ id: UInt32, _ index: Int, into out: inout [UInt8]) {
        out.put("{\"name\":")
        putName(types.word(id, 3 + index * 2), into: &out)
        putField(",\"type_id\":", types.word(id, 4 + index * 2), into: &out)
    }

    private func putEntry(_ id: UInt32, _ index: Int, into out: inout [UInt8]) {
        let at = 3 + index * 3
        putField("{\"type_id\":", types.word(id, at), into: &out)
        putField(",\"offset\":", types.word(id, at + 1), into: &out)
        putField(",\"size\":", types.word(id, at + 2), into: &out)
    }

    private func putLocation(_ id: UInt32, _ index: Int, _ out: inout [UInt8]) {
        let place = types.word(id, 3 + index)
        putField("{\"type_id\":", place, into: &out)
        guard types.kindIfAny(place) == .locParam else { return }
        putWord(",\"value\":\"", types.location(place), into: &out)
    }

    private func putSite(_ id: UInt32, _ index: Int, _ out: inout [UInt8]) {
        let at = 3 + index * 3
        let function = types.word(id, at)
        out.put("{\"name\":")
        putName(types.exists(function) ? types.nameOffset(function) : 0, into: &out)
        putField(",\"func_type_id\":", function, into: &out)
        putField(",\"loc_proto_type_id\":", types.word(id, at + 1), into: &out)
        putField(",\"offset\":", types.word(id, at + 2), into: &out)
    }

    private func putName(_ offset: UInt32, into out: inout [UInt8]) {
        out.put(json: displayName(offset, types))
    }

    private func putField(_ label: String, _ value: UInt32, into out: inout [UInt8]) {
        out.put(label)
        out.put(value)
    }

    /// `label` opens the quote.
    private func putWord(_ label: String, _ word: String, into out: inout [UInt8]) {
        out.put(label)
        out.put(word)
        out.append(34)
    }
}
