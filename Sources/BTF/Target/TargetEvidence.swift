// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What a kernel's own BTF says about the kernel: by its contents, because the kernel reads it, and
/// by the types that it describes, which are those of the code that reads BTF.
package struct TargetEvidence: Hashable, Sendable {
    /// The kernel has these.
    package var shown: Set<KernelAbility> = []
    /// Abilities that the kernel lacks: its list of kinds ends before them, or one of its limits is
    /// lower.
    package var denied: Set<KernelAbility> = []
    /// How its BTF has enums that are signed or wider than 32 bits.
    package internal(set) var enums = EnumForm()
    /// More types than anything but a kernel has: what is not there is not there for want of need.
    package internal(set) var isWholeKernel = false
    /// The BTF describes the list of kinds, as that of kernels from 5.16 on does.
    package internal(set) var listsKinds = false
    /// It has a function `btf_is_standalone`, as kernels with the patches of kbuild/patches: it
    /// turns standalone BTF of modules into split BTF.
    package internal(set) var renumbersStandalone = false

    /// The base was made without the feature `enum64`, so what is to share its types must be, too.
    package var cutsEnums: Bool { !enums.hasWhole && (enums.hasCut || isWholeKernel) }

    package init() {}

    /// - Parameter btf: the kernel's BTF; what that continues counts, too.
    package init(_ btf: BTF) {
        var link: BTF? = btf
        var count = 0
        while let part = link {
            var search = AbilitySearch(part)
            search.run()
            add(search.evidence)
            count += part.starts.count
            link = part.base
        }
        isWholeKernel = count > Self.leastTypes
    }

    /// The blobs of preloaded BPF programs have some tens of types, the smallest kernels about ten
    /// thousand.
    package static let leastTypes = 1000

    /// - Parameter header: the text of a kernel's include/uapi/linux/btf.h.
    /// - Returns: nil for another text.
    package init?(header: String) {
        let words = Set(
            header.split { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_")) })
        self.init { words.contains($0[...]) }
    }

    /// - Parameter lists: whether the kernel's list of kinds has this name, as far as that is
    ///   visible.
    /// - Returns: nil if no list is visible.
    package init?(kinds lists: (String) -> Bool) {
        guard lists("BTF_KIND_DATASEC") else { return nil }
        list(lists)
    }

    /// Evaluates the kernel's list of kinds. Kinds are numbered: a list with one of them has all
    /// before it.
    fileprivate mutating func list(_ lists: (String) -> Bool) {
        listsKinds = true
        var isListed = false
        for (name, ability) in KernelAbility.listedKinds.reversed() {
            isListed = isListed || lists(name)
            if isListed { shown.insert(ability) } else { denied.insert(ability) }
        }
        if lists(KernelAbility.inlineSitesKind) { shown.insert(.inlineSites) }
    }

    private mutating func add(_ other: TargetEvidence) {
        shown.formUnion(other.shown)
        denied.formUnion(other.denied)
        enums.add(other.enums)
        listsKinds = listsKinds || other.listsKinds
        renumbersStandalone = renumbersStandalone || other.renumbersStandalone
    }
}

private struct AbilitySearch {
    private let btf: BTF
    private let types: TypeTable
    private(set) var evidence = TargetEvidence()

    init(_ btf: BTF) {
        self.btf = btf
        types = TypeTable(btf)
    }

    private mutating func show(_ ability: KernelAbility) { evidence.shown.insert(ability) }

    mutating func run() {
        if btf.header.layoutLength != 0 { show(.layout) }
        if btf.starts.count > 0xffff || btf.strings.count > 0x1_0000 { show(.largeBTF) }
        // By number: a set would be looked into for each type.
        var isThere = [Bool](repeating: false, count: Kind.numberCount)
        for id in types.ownIDs {
            let info = types.info(id)
            let kind = types.kind(id)
            isThere[Int(kind.rawValue)] = true
            switch kind.role {
            case .typeTag, .declarationTag: if info.flag { show(.flaggedTags) }
            case .enumeration: addEnum(id, kind, info)
            case .composite: if kind == .struct { addStruct(id) }
            case .function:
                // Kernels have 50,000 of them: most end at the first byte.
                let name = types.nameOffset(id)
                if types.byte(at: Int(name)) == UInt8(ascii: "b"), isName(name, "btf_is_standalone")
                {
                    evidence.renumbersStandalone = true
                } else if types.byte(at: Int(name)) == UInt8(ascii: "_"),
                    isName(name, "__btf_name_valid"),
                    types.kindIfAny(types.word(id, 2)) == .funcProto,
                    types.count(types.word(id, 2)) == 2
                {
                    // Its third parameter was whether to take dots.
                    show(.dottedNames)
                }
            case .integer, .float, .pointer, .array, .forward, .alias, .qualifier, .prototype,
                .variable, .section, .location, .locationPrototype, .locationSection, .unknown:
                break
            }
        }
        for kind in Kind.allCases where isThere[Int(kind.rawValue)] {
            if let ability = kind.row.needs { show(ability) }
        }
        // What the BTF holds, no list denies.
        evidence.denied.subtract(evidence.shown)
    }

    private mutating func addEnum(_ id: UInt32, _ kind: Kind, _ info: TypeInfo) {
        if kind == .enum64 || info.flag {
            evidence.enums.hasWhole = true
            if kind == .enum { show(.enum64) }
            return
        }
        guard info.vlen > 0 else { return }
        if types.word(id, 2) == 8 { evidence.enums.hasCut = true }
        for index in 0..<info.vlen where types.word(id, 4 + 2 * index) >> 31 != 0 {
            evidence.enums.hasHighValues = true
            break
        }
        addList(id)
    }

    /// The enums of include/uapi/linux/btf.h: the kinds, since 5.16, and the limits, since 7.2.
    private mutating func addList(_ id: UInt32) {
        let first = types.word(id, 3)
        if isName(first, "BTF_KIND_UNKN") {
            let names = KernelAbility.listedKinds.map(\.name).filter {
                element(of: id, named: $0) != nil
            }
            evidence.list { names.contains($0) }
            if element(of: id, named: KernelAbility.inlineSitesKind) != nil { show(.inlineSites) }
        } else if isName(first, "BTF_MAX_KIND") || isName(first, "BTF_MAX_TYPE") {
            if let limit = element(of: id, named: "BTF_MAX_VLEN"),
                types.word(id, limit + 1) >= 0xff_ffff
            {
                show(.manyElements)
            }
        }
    }

    private mutating func addStruct(_ id: UInt32) {
        let name = types.nameOffset(id)
        if isName(name, "btf_header") {
            if types.word(id, 2) >= Header.longLength, element(of: id, named: "layout_off") != nil {
                show(.layout)
            }
        } else if isName(name, "module") {
            // include/linux/module.h, with CONFIG_DEBUG_INFO_BTF_MODULES.
            if element(of: id, named: "btf_data") != nil { show(.moduleBTF) }
            if element(of: id, named: "btf_base_data") != nil { show(.distilledBase) }
        } else if isName(name, "btf") {
            if element(of: id, named: "named_start_id") != nil { show(.sortedNames) }
        } else if isName(name, "bpf_ksym") || isName(name, "kallsym_iter") {
            addNameLimit(id)
        }
    }

    /// Reads the member `char name[KSYM_NAME_LEN]`; its size is the limit for names in BTF.
    private mutating func addNameLimit(_ id: UInt32) {
        guard let member = element(of: id, named: "name") else { return }
        let array = types.word(id, member + 1)
        guard types.kindIfAny(array) == .array else { return }
        if types.word(array, 5) >= TargetRules.longNameLimit {
            show(.longNames)
        } else {
            evidence.denied.insert(.longNames)
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

    /// Whether this is the string at `offset`. Reads no more bytes than the name has: hostile BTF
    /// may have strings of megabytes.
    private func isName(_ offset: UInt32, _ name: String) -> Bool {
        var at = Int(offset)
        for byte in name.utf8 {
            guard types.byte(at: at) == byte else { return false }
            at += 1
        }
        return types.byte(at: at) == 0
    }
}
