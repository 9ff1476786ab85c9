// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A feature of BTF that kernels accept from some release on, and reject or ignore before. In order
/// of these releases. Each row of docs/targets.md is one of them.
package enum KernelAbility: String, CaseIterable, Sendable {
    /// More than 65535 types or bytes of names; ENUMs of other sizes than 4 bytes.
    case largeBTF = "large-btf"
    /// FUNCs with a linkage other than static.
    case functionLinkage = "function-linkage"
    /// BTF of modules: split, on the kernel's own.
    case moduleBTF = "module-btf"
    /// FLOAT.
    case float
    /// DECL_TAG.
    case declTag = "decl-tag"
    /// TYPE_TAG, in front of other modifiers.
    case typeTag = "type-tag"
    /// A configuration under which a module whose BTF is refused is loaded without it.
    case toleratesMismatch = "tolerates-mismatch"
    /// ENUM64, and the kind flag of ENUM for signed ones.
    case enum64
    /// Names of up to 512 bytes; 128 before.
    case longNames = "long-names"
    /// Special fields of structs in programs' BTF (locks, lists, trees) are checked.
    case structMetas = "struct-metas"
    /// Dots in other names than those of sections.
    case dottedNames = "dotted-names"
    /// Any printable characters in the name of a DATASEC.
    case anySectionName = "any-section-name"
    /// `.BTF.base` beside the BTF of a module.
    case distilledBase = "distilled-base"
    /// The kind flag on TYPE_TAG and DECL_TAG: any attribute.
    case flaggedTags = "flagged-tags"
    /// The kernel's own BTF is taken as sorted by name, without looking.
    case sortedNames = "sorted-names"
    /// Kernel functions with `KF_IMPLICIT_ARGS`: the verifier takes the whole prototype from
    /// `NAME_impl`.
    case implicitArguments = "implicit-arguments"
    /// A header of 32 bytes with a layout section.
    case layout
    /// 24 bits for the number of elements; 16 before.
    case manyElements = "many-elements"
    /// TYPE_TAG behind other modifiers.
    case anyTagOrder = "any-tag-order"
    /// Parameters of kernel functions named `NAME__arena` are pointers into arenas. Since the same
    /// release resolve_btfids, not pahole, describes kernel functions.
    case arenaParameters = "arena-parameters"
    /// LOC_PARAM, LOC_PROTO and LOCSEC: where functions are inlined, and where their parameters are
    /// there. In linux-next since 2026-10.
    case inlineSites = "inline-sites"

    /// The first release that has it (include/uapi/linux/btf.h, kernel/bpf/btf.c and their history;
    /// docs/targets.md names the changes).
    package var since: KernelVersion {
        switch self {
        case .largeBTF: KernelVersion(5, 4)
        case .functionLinkage: KernelVersion(5, 6)
        case .moduleBTF: KernelVersion(5, 11)
        case .float: KernelVersion(5, 13)
        case .declTag: KernelVersion(5, 16)
        case .typeTag: KernelVersion(5, 17)
        case .toleratesMismatch: KernelVersion(5, 18)
        case .enum64: KernelVersion(6, 0)
        case .longNames: KernelVersion(6, 1)
        case .structMetas: KernelVersion(6, 2)
        case .dottedNames: KernelVersion(6, 5)
        case .anySectionName: KernelVersion(6, 9)
        case .distilledBase: KernelVersion(6, 11)
        case .flaggedTags: KernelVersion(6, 15)
        case .sortedNames, .implicitArguments: KernelVersion(7, 0)
        case .layout: KernelVersion(7, 1)
        case .manyElements, .anyTagOrder: KernelVersion(7, 2)
        case .arenaParameters: KernelVersion(7, 3)
        case .inlineSites: KernelVersion(7, 4)
        }
    }

    /// The kinds that some kernels do not list in include/uapi/linux/btf.h, with what they are for.
    /// Those of inline sites are not among them: nothing is written otherwise because a list ends
    /// before them.
    package static let listedKinds: [(name: String, ability: KernelAbility)] =
        Kind.allCases.compactMap { kind in
            guard let ability = kind.row.needs, ability != .inlineSites else { return nil }
            return (kind.constant, ability)
        }

    /// The first of the kinds that come with `inlineSites`, in that list.
    static let inlineSitesKind = Kind.locParam.constant

    /// Abilities that a kernel may have without showing them in its BTF. Stable releases have
    /// backported some of them.
    package static let mayBeHidden: Set<KernelAbility> = [
        .longNames, .dottedNames, .anySectionName, .anyTagOrder,
    ]
}
