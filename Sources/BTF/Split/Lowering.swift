// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Replaces kinds that a kernel does not accept, as encoding for such a kernel does: a signed ENUM
/// loses its sign, an ENUM64 becomes an ENUM with the low 32 bits of each value, a FLOAT an INT of
/// its size; tags, or only those with the kind flag, are omitted.
struct Lowering {
    private let cutsEnums: Bool
    private let cutsFloats: Bool
    private let dropsTypeTags: Bool
    private let dropsDeclTags: Bool
    private let dropsFlaggedTags: Bool

    /// - Parameters:
    ///   - missing: what the kernel does not accept.
    ///   - base: has enums in one form or the other; nil changes none for its sake.
    init(_ missing: Set<KernelAbility>, _ base: BaseIndex?) {
        cutsEnums = missing.contains(.enum64) || base?.evidence.cutsEnums == true
        cutsFloats = missing.contains(.float)
        dropsTypeTags = missing.contains(.typeTag)
        dropsDeclTags = missing.contains(.declTag)
        dropsFlaggedTags = missing.contains(.flaggedTags)
    }

    /// The ids that stay, and the TYPE_TAGs that are removed.
    func parts(of ids: [UInt32], _ btf: BTF) -> (kept: [UInt32], tags: [UInt32]) {
        guard dropsTypeTags || dropsDeclTags || dropsFlaggedTags else { return (ids, []) }
        var (kept, tags): ([UInt32], [UInt32]) = ([], [])
        for id in ids {
            let info = info(of: id, btf)
            if !drops(info) {
                kept.append(id)
            } else if info?.kind == .typeTag {
                tags.append(id)
            }
        }
        return (kept, tags)
    }

    private func info(of id: UInt32, _ btf: BTF) -> TypeInfo? {
        guard id > 0 else { return nil }
        let (words, start) = btf.place(of: id)
        return TypeInfo(rawValue: words[start + 1])
    }

    private func drops(_ info: TypeInfo?) -> Bool {
        guard let info else { return false }
        switch info.kind {
        case .typeTag: return dropsTypeTags || dropsFlaggedTags && info.flag
        case .declTag: return dropsDeclTags || dropsFlaggedTags && info.flag
        default: return false
        }
    }

    /// The target of a TYPE_TAG that is removed, and of those behind it.
    ///
    /// - Throws: if they refer to themselves.
    func untagged(_ tag: UInt32, _ btf: BTF) throws(BTFError) -> UInt32 {
        var id = tag
        // Kernels accept no chain longer than 32.
        for _ in 0..<1000 {
            guard drops(info(of: id, btf)) else { return id }
            let (words, start) = btf.place(of: id)
            id = words[start + 2]
        }
        throw BTFError(offset: 0, "type tag \(tag) does not refer to a type")
    }

    func changes(_ info: TypeInfo) -> Bool {
        switch info.kind {
        case .enum: cutsEnums && info.flag
        case .enum64: cutsEnums
        case .float: cutsFloats
        default: false
        }
    }

    /// Writes a changed record.
    func write(
        _ words: [UInt32], _ start: Int, name: UInt32, to writer: inout TypeWriter,
        naming: (UInt32) -> UInt32
    ) {
        let info = TypeInfo(rawValue: words[start + 1])
        let size = words[start + 2]
        if info.kind == .float {
            _ = writer.addInt(name: name, size: size, encoding: 0, bits: size * 8)
            return
        }
        _ = writer.begin(name: name, info: TypeInfo(.enum, vlen: info.vlen), third: size)
        let stride = info.kind == .enum64 ? 3 : 2
        for index in 0..<info.vlen {
            let at = start + 3 + index * stride
            writer.append(naming(words[at]), words[at + 1])
        }
    }
}
