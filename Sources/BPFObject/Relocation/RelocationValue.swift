// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF

extension AccessPath {
    /// The number that a relocation puts into an instruction, if this is what it leads to. Types
    /// that give the same number stand for each other.
    ///
    /// - Parameter btf: what the path is in.
    /// - Throws: where libbpf cannot say either.
    func value(_ kind: RelocationKind, in btf: BTF) throws(RelocationFault) -> UInt64 {
        switch kind {
        case .fieldExists, .typeExists, .typeMatches, .enumeratorExists: return 1
        case .localType, .targetType: return UInt64(root.rawValue)
        case .typeSize:
            guard let size = btf.size(of: root) else {
                throw RelocationFault("type [\(root)] has no size")
            }
            return UInt64(size)
        case .enumeratorValue:
            guard let step = steps.first, let type = btf.record(step.type) else { return 0 }
            let low = UInt64(type.element(step.index, 1))
            return type.kind == .enum64 ? UInt64(type.element(step.index, 2)) << 32 | low : low
        case .byteOffset, .byteSize, .isSigned, .leftShift, .rightShift:
            return try fieldValue(kind, in: btf)
        }
    }

    private func fieldValue(
        _ kind: RelocationKind, in btf: BTF
    ) throws(RelocationFault) -> UInt64 {
        guard let last = steps.last, let owner = btf.record(last.type) else {
            throw RelocationFault("it leads to no type")
        }
        func size(_ type: TypeID) throws(RelocationFault) -> UInt64 {
            guard let size = btf.size(of: type) else {
                throw RelocationFault("type [\(type)] has no size")
            }
            return UInt64(size)
        }
        guard last.name != nil else {
            switch kind {
            case .byteOffset: return bitOffset / 8
            case .byteSize: return try size(last.type)
            default: throw RelocationFault("an element of an array is neither signed nor shifted")
            }
        }
        let member = owner.place(ofMember: last.index)
        let field: (offset: UInt64, size: UInt64, bits: UInt64)
        if member.bitfieldSize > 0 {
            let load = try load(
                bits: UInt64(member.bitfieldSize),
                from: UInt64(btf.resolved(member.type)?.record?.size ?? 0))
            field = (load.offset, load.size, UInt64(member.bitfieldSize))
        } else {
            let size = try size(member.type)
            field = (bitOffset / 8, size, size &* 8)
        }
        switch kind {
        case .byteOffset: return field.offset
        case .byteSize: return field.size
        case .isSigned: return btf.resolved(member.type)?.record?.isSigned == true ? 1 : 0
        case .leftShift:
            return btf.bigEndian
                ? (8 &- field.size) &* 8 &+ bitOffset &- field.offset &* 8
                : 64 &- (bitOffset &+ field.bits &- field.offset &* 8)
        default: return 64 &- field.bits
        }
    }

    /// The place of the smallest load that has all bits of a bitfield.
    ///
    /// - Parameter size: bytes of its type.
    private func load(
        bits: UInt64, from size: UInt64
    ) throws(RelocationFault) -> (offset: UInt64, size: UInt64) {
        var size = size
        while size > 0 {
            let offset = bitOffset / 8 / size * size
            if bitOffset + bits - offset * 8 <= size * 8 { return (offset, size) }
            guard size < 8 else { break }
            size *= 2
        }
        throw RelocationFault("no load of at most 8 bytes has all bits of the field")
    }
}

extension Record {
    fileprivate var isSigned: Bool {
        kind.isAnyEnum ? flag : kind == .int && fixed(0) >> 24 & IntEncoding.signed != 0
    }
}
