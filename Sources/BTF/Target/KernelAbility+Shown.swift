// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension KernelAbility {
    /// What a kernel's own BTF shows that it takes: by what the BTF holds, for the kernel reads it; and by
    /// the types it tells of, which are those of the code that reads BTF.
    static func shown(by btf: BTF) -> Set<KernelAbility> {
        var search = AbilitySearch(btf)
        search.run()
        return search.shown
    }
}

private struct AbilitySearch {
    private let btf: BTF
    private let types: TypeTable
    private(set) var shown: Set<KernelAbility> = []

    init(_ btf: BTF) {
        self.btf = btf
        types = TypeTable(btf)
    }

    mutating func run() {
        if btf.header.layoutLength != 0 { shown.insert(.layout) }
        if btf.starts.count > 0xffff || btf.strings.count > 0x1_0000 { shown.insert(.largeBTF) }
        var kinds: Set<Kind> = []
        for id in types.ownIDs {
            let info = types.info(id)
            let kind = types.kind(id)
            kinds.insert(kind)
            switch kind {
            case .typeTag, .declTag: if info.flag { shown.insert(.flaggedTags) }
            case .enum:
                if info.flag { shown.insert(.enum64) }
                addEnum(id)
            case .struct: addStruct(id)
            default: break
            }
        }
        shown.formUnion(kinds.compactMap { TargetRules.ability(for: $0) })
    }

    /// The enums of include/uapi/linux/btf.h: the kinds, since 5.16, and the limits, since 7.2.
    private mutating func addEnum(_ id: UInt32) {
        guard types.count(id) > 0 else { return }
        let first = types.word(id, 3)
        if isName(first, "BTF_KIND_UNKN") {
            for (name, ability) in [
                ("BTF_KIND_FLOAT", KernelAbility.float), ("BTF_KIND_DECL_TAG", .declTag),
                ("BTF_KIND_TYPE_TAG", .typeTag), ("BTF_KIND_ENUM64", .enum64),
            ] where element(of: id, named: name) != nil { shown.insert(ability) }
        } else if isName(first, "BTF_MAX_KIND") || isName(first, "BTF_MAX_TYPE") {
            if let limit = element(of: id, named: "BTF_MAX_VLEN"),
                types.word(id, limit + 1) >= 0xff_ffff
            {
                shown.insert(.manyElements)
            }
        }
    }

    private mutating func addStruct(_ id: UInt32) {
        let name = types.nameOffset(id)
        if isName(name, "btf_header") {
            if types.word(id, 2) >= Header.longLength, element(of: id, named: "layout_off") != nil {
                shown.insert(.layout)
            }
        } else if isName(name, "module") {
            // include/linux/module.h, with CONFIG_DEBUG_INFO_BTF_MODULES.
            if element(of: id, named: "btf_data") != nil { shown.insert(.moduleBTF) }
            if element(of: id, named: "btf_base_data") != nil { shown.insert(.distilledBase) }
        } else if isName(name, "btf") {
            if element(of: id, named: "named_start_id") != nil { shown.insert(.sortedNames) }
        }
    }

    /// Index of the first word of the member or value with this name.
    private func element(of id: UInt32, named name: String) -> Int? {
        let shape = types.kind(id).shape
        for index in 0..<types.count(id) {
            let at = 3 + shape.fixed + index * shape.element
            if isName(types.word(id, at), name) { return at }
        }
        return nil
    }

    /// Whether this is the string at `offset`. Looks no further than the name is long: hostile BTF may have
    /// strings of megabytes.
    private func isName(_ offset: UInt32, _ name: String) -> Bool {
        var at = Int(offset)
        for byte in name.utf8 {
            guard types.byte(at: at) == byte else { return false }
            at += 1
        }
        return types.byte(at: at) == 0
    }
}
