// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Tables

/// One type of a `BTF`, read in place. For printing, checking and comparing; loops over many types
/// read words themselves.
package struct Record {
    package let btf: BTF
    package let id: TypeID
    /// Word index in the `words` of the BTF that owns the record.
    let start: Int
    /// The BTF in the base chain that owns the record.
    let owner: BTF

    package var info: TypeInfo { TypeInfo(rawValue: owner.words[start + 1]) }
    package var kind: Kind { info.kind ?? .unknown }
    package var flag: Bool { info.flag }
    package var nameOffset: UInt32 { owner.words[start] }
    package var name: String { btf.string(at: nameOffset) }
    /// The type id of kinds that refer to one type.
    package var type: TypeID { TypeID(owner.words[start + 2]) }
    /// Size in bytes of kinds that have one.
    package var size: UInt32 { owner.words[start + 2] }
    package var linkage: UInt32 { kind == .func ? UInt32(info.vlen) : fixed(0) }

    /// Number of elements: members, values, parameters, section entries.
    package var count: Int { info.count }

    /// The `index`th word after the common three.
    package func fixed(_ index: Int) -> UInt32 { owner.words[start + 3 + index] }

    /// Word `word` of element `index`.
    package func element(_ index: Int, _ word: Int) -> UInt32 {
        let shape = kind.shape
        return owner.words[start + 3 + shape.fixed + index * shape.element + word]
    }

    package func elementName(_ index: Int) -> String { btf.string(at: element(index, 0)) }

    /// All words of the record.
    package var words: ArraySlice<UInt32> {
        guard kind == .unknown else { return owner.words[start..<start + info.recordWords] }
        let next = owner.starts.partitioningIndex { $0 > start }
        return owner.words[
            start..<(next < owner.starts.count ? Int(owner.starts[next]) : owner.words.count)]
    }

    /// Type ids this record refers to, in order.
    package var references: [TypeID] {
        var ids: [TypeID] = []
        info.forEachReference { ids.append(TypeID(owner.words[start + $0])) }
        return ids
    }
}

/// A member of a STRUCT or UNION, decoded.
package struct Member: Equatable {
    package let name: String
    package let type: TypeID
    /// Bits from the start of the struct.
    package let bitOffset: UInt32
    /// Width in bits of a bitfield; 0 for an ordinary member.
    package let bitfieldSize: UInt32
}

/// One value of an ENUM or ENUM64.
package struct EnumValue: Equatable {
    package let name: String
    /// The bits, sign-extended for a signed ENUM.
    package let bits: UInt64
}

extension Record {
    package var members: [Member] {
        guard kind.isComposite else { return [] }
        return (0..<count).map { index in
            let raw = element(index, 2)
            return Member(
                name: elementName(index), type: TypeID(element(index, 1)),
                bitOffset: flag ? raw & 0xff_ffff : raw, bitfieldSize: flag ? raw >> 24 : 0)
        }
    }

    package var enumValues: [EnumValue] {
        guard kind.isAnyEnum else { return [] }
        return (0..<count).map { index in
            let low = element(index, 1)
            let bits: UInt64
            if kind == .enum64 {
                bits = UInt64(element(index, 2)) << 32 | UInt64(low)
            } else if flag {
                bits = UInt64(bitPattern: Int64(Int32(bitPattern: low)))
            } else {
                bits = UInt64(low)
            }
            return EnumValue(name: elementName(index), bits: bits)
        }
    }
}

extension BTF {
    /// The type with this id; nil for void and for ids that do not exist.
    package func record(_ id: TypeID) -> Record? {
        guard id.rawValue != 0, id.rawValue < typeCount else { return nil }
        var owner = self
        while id.rawValue < owner.firstID {
            guard let base = owner.base else { return nil }
            owner = base
        }
        return Record(
            btf: self, id: id, start: Int(owner.starts[Int(id.rawValue - owner.firstID)]),
            owner: owner)
    }

    /// The type behind typedefs, qualifiers and tags; nil for void, and for chains without an end.
    package func withoutModifiers(_ id: TypeID) -> Record? {
        var record = record(id)
        // Kernels accept no chain longer than 32.
        for _ in 0..<1000 {
            guard let current = record, current.kind.isModifier else { return record }
            record = self.record(current.type)
        }
        return nil
    }

    /// Own types in id order.
    package var ownRecords: some Sequence<Record> {
        ownIDs.lazy.map { self.record(TypeID($0))! }
    }

    /// The bytes of a string without its NUL; empty for an offset outside.
    package func stringBytes(at offset: UInt32) -> ArraySlice<UInt8> {
        var owner = self
        while Int(offset) < owner.stringBase {
            guard let base = owner.base else { return [] }
            owner = base
        }
        let start = Int(offset) - owner.stringBase
        guard start < owner.strings.count else { return [] }
        var end = start
        while end < owner.strings.count, owner.strings[end] != 0 { end += 1 }
        return owner.strings[start..<end]
    }

    package func string(at offset: UInt32) -> String {
        String(systemBytes: stringBytes(at: offset))
    }
}
