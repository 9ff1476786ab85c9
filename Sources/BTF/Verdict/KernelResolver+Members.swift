// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Members of structs and unions, once their types are resolved (rules R10 to R18).
extension KernelResolver {
    private struct Member {
        let structure: UInt32
        let index: Int
        /// What it leads to.
        var type: UInt32
        let offset: UInt32
        let structSize: UInt32
        let isFlagged: Bool
    }

    func refuseMember(
        _ rule: String, _ index: Int, of id: UInt32, type: UInt32? = nil, _ words: String,
        cause: String? = nil
    ) -> Unaccepted {
        let at = Int(types.starts[Int(id - types.firstID)]) + 3 + index * 3
        return reader.refusal(
            rule, type: id,
            lines: [
                KernelLog.type(types, id),
                KernelLog.member(types, at: at, flag: types.flag(id), type: type) + words,
            ], offset: reader.offset(ofWord: at), cause: cause)
    }

    private func refuse(
        _ rule: String, _ member: Member, _ words: String, cause: String? = nil
    ) -> Unaccepted {
        refuseMember(
            rule, member.index, of: member.structure, type: member.type, words, cause: cause)
    }

    func checkMember(_ index: Int, of id: UInt32) throws(Unaccepted) {
        var member = Member(
            structure: id, index: index, type: types.word(id, 4 + index * 3),
            offset: types.word(id, 5 + index * 3), structSize: types.third(id),
            isFlagged: types.flag(id))
        var kind = types.kind(member.type)
        if KernelKind.isModifier(kind) {
            guard let target = sized(member.type) else {
                throw refuse("R17", member, "Invalid member")
            }
            member.type = target.id
            kind = types.kind(target.id)
        }
        if member.isFlagged {
            try checkFlagged(member, kind)
        } else {
            try check(member, kind)
        }
    }

    private func check(_ member: Member, _ kind: UInt32) throws(Unaccepted) {
        switch kind {
        case KernelKind.int: try checkInt(member)
        case KernelKind.ptr: try checkBytes(member, reader.pointerSize)
        case KernelKind.array: try checkBytes(member, resolvedSizes[Int(member.type)])
        case KernelKind.struct, KernelKind.union, KernelKind.enum, KernelKind.enum64:
            try checkBytes(member, types.third(member.type))
        case KernelKind.float: try checkFloat(member)
        default: throw unsupported(member, "Unsupported check_member")
        }
    }

    private func checkFlagged(_ member: Member, _ kind: UInt32) throws(Unaccepted) {
        switch kind {
        case KernelKind.int: try checkFlaggedInt(member)
        case KernelKind.enum, KernelKind.enum64: try checkFlaggedEnum(member)
        case KernelKind.ptr, KernelKind.array, KernelKind.struct, KernelKind.union,
            KernelKind.float:
            if member.offset >> 24 != 0 {
                throw refuse("R15", member, "Invalid member bitfield_size")
            }
            try check(member, kind)
        default: throw unsupported(member, "Unsupported check_kflag_member")
        }
    }

    private func unsupported(_ member: Member, _ words: String) -> Unaccepted {
        reader.refusal(
            "R18", type: member.structure,
            lines: [KernelLog.type(types, member.structure, details: false) + " " + words],
            offset: reader.offset(of: member.structure))
    }

    // MARK: Kinds

    private func checkInt(_ member: Member) throws(Unaccepted) {
        let data = types.word(member.type, 3)
        let (shift, bits) = (data >> 16 & 0xff, data & 0xff)
        if UInt32.max - member.offset < shift {
            throw refuse("R11", member, "bits_offset exceeds U32_MAX")
        }
        try checkBits(member, "R11", offset: member.offset + shift, bits)
    }

    private func checkBits(
        _ member: Member, _ rule: String, offset: UInt32, _ bits: UInt32
    ) throws(Unaccepted) {
        let first = offset / 8
        let copied = bits + offset % 8
        if copied > 128 { throw refuse(rule, member, "nr_copy_bits exceeds 128") }
        if member.structSize < first || member.structSize - first < (copied + 7) / 8 {
            throw refuse(rule, member, "Member exceeds struct_size")
        }
    }

    private func checkFlaggedInt(_ member: Member) throws(Unaccepted) {
        if !isRegular(member.type) { throw refuse("R12", member, "Invalid member base type") }
        let own = types.word(member.type, 3) & 0xff
        var bits = member.offset >> 24
        let offset = member.offset & 0xff_ffff
        if bits == 0 {
            if offset % 8 != 0 { throw refuse("R12", member, "Invalid member offset") }
            bits = own
        } else if bits > own {
            throw refuse("R12", member, "Invalid member bitfield_size")
        }
        try checkBits(member, "R12", offset: offset, bits)
    }

    /// PTR, ARRAY, STRUCT, UNION, ENUM, ENUM64.
    private func checkBytes(_ member: Member, _ size: UInt32) throws(Unaccepted) {
        if member.offset % 8 != 0 { throw refuse("R13", member, "Member is not byte aligned") }
        if member.structSize &- member.offset / 8 < size {
            throw refuse("R13", member, "Member exceeds struct_size")
        }
    }

    /// As 32 bits, whatever its size.
    private func checkFlaggedEnum(_ member: Member) throws(Unaccepted) {
        var bits = member.offset >> 24
        let offset = member.offset & 0xff_ffff
        if bits == 0 {
            if offset % 8 != 0 { throw refuse("R14", member, "Member is not byte aligned") }
            bits = 32
        } else if bits > 32 {
            throw refuse("R14", member, "Invalid member bitfield_size")
        }
        if member.structSize < (offset + bits + 7) / 8 {
            throw refuse(
                "R14", member, "Member exceeds struct_size", cause: shortEnumCause(member.type))
        }
    }

    private func checkFloat(_ member: Member) throws(Unaccepted) {
        let size = types.third(member.type)
        let alignment = min(reader.pointerSize, size)
        if UInt64(member.offset) % (UInt64(alignment) * 8) != 0 {
            throw refuse(
                "R16", member, "Member is not properly aligned",
                cause: "a packed or otherwise unaligned struct holds a floating-point number at "
                    + "byte \(member.offset / 8), not a multiple of \(alignment)")
        }
        if UInt64(member.offset / 8) + UInt64(size) > UInt64(member.structSize) {
            throw refuse("R16", member, "Member exceeds struct_size")
        }
    }
}
