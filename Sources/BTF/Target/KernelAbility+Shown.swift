// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension KernelAbility {
    /// What a kernel's own BTF shows that it takes: by what the BTF holds, for the kernel reads it; and by
    /// the types it tells of, which are those of the code that reads BTF.
    static func shown(by btf: BTF) -> Set<KernelAbility> {
        var shown: Set<KernelAbility> = []
        if btf.header.layoutLength != 0 { shown.insert(.layout) }
        if btf.starts.count > 0xffff || btf.strings.count > 0x1_0000 { shown.insert(.largeBTF) }
        for record in btf.ownRecords {
            let kind = record.kind
            if let ability = TargetRules.ability(for: kind) { shown.insert(ability) }
            switch kind {
            case .typeTag, .declTag: if record.flag { shown.insert(.flaggedTags) }
            case .enum:
                if record.flag { shown.insert(.enum64) }
                if record.count > 0 { add(record, to: &shown) }
            case .struct: addStruct(record, to: &shown)
            default: break
            }
        }
        return shown
    }

    /// The enums of include/uapi/linux/btf.h: the kinds, since 5.16, and the limits, since 7.2.
    private static func add(_ record: Record, to shown: inout Set<KernelAbility>) {
        let first = record.btf.stringBytes(at: record.element(0, 0))
        if first.elementsEqual("BTF_KIND_UNKN".utf8) {
            let names = record.enumValues.map(\.name)
            for (name, ability) in [
                ("BTF_KIND_FLOAT", KernelAbility.float), ("BTF_KIND_DECL_TAG", .declTag),
                ("BTF_KIND_TYPE_TAG", .typeTag), ("BTF_KIND_ENUM64", .enum64),
            ] where names.contains(name) { shown.insert(ability) }
        } else if first.starts(with: "BTF_MAX_".utf8) {
            let limit = record.enumValues.first { $0.name == "BTF_MAX_VLEN" }
            if let limit, limit.bits >= 0xff_ffff { shown.insert(.manyElements) }
        }
    }

    private static func addStruct(_ record: Record, to shown: inout Set<KernelAbility>) {
        let name = record.btf.stringBytes(at: record.nameOffset)
        func hasMember(_ name: String) -> Bool { record.members.contains { $0.name == name } }
        if name.elementsEqual("btf_header".utf8) {
            if record.size >= Header.longLength, hasMember("layout_off") { shown.insert(.layout) }
        } else if name.elementsEqual("module".utf8) {
            // include/linux/module.h, with CONFIG_DEBUG_INFO_BTF_MODULES.
            if hasMember("btf_data") { shown.insert(.moduleBTF) }
            if hasMember("btf_base_data") { shown.insert(.distilledBase) }
        } else if name.elementsEqual("btf".utf8) {
            if hasMember("named_start_id") { shown.insert(.sortedNames) }
        }
    }
}
