// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension KernelAbility {
    /// What such kernels accept, briefly.
    package var meaning: String {
        switch self {
        case .largeBTF: "more than 65535 types or 64 KiB of names; ENUMs of 1, 2 and 8 bytes"
        case .functionLinkage: "FUNCs that are not static"
        case .moduleBTF: "split BTF of modules"
        case .float: "FLOAT"
        case .declTag: "DECL_TAG"
        case .typeTag: "TYPE_TAG"
        case .toleratesMismatch:
            "loading a module without its BTF if that is refused (a configuration option)"
        case .enum64: "ENUM64; signed ENUMs"
        case .longNames: "names of up to 512 bytes"
        case .structMetas: "locks, lists and trees in programs' structs: BPF_BTF_LOAD checks them"
        case .dottedNames: "dots in names of functions and types"
        case .anySectionName: "any printable section name"
        case .distilledBase: ".BTF.base, a distilled base"
        case .flaggedTags: "the kind flag on tags: any attribute"
        case .sortedNames: "lookups by binary search: their own BTF must be sorted by name"
        case .implicitArguments: "kernel functions with KF_IMPLICIT_ARGS, found as NAME_impl"
        case .layout: "a 32-byte header and a layout section"
        case .manyElements: "more than 65535 elements of a record"
        case .anyTagOrder: "TYPE_TAG after other modifiers"
        case .arenaParameters: "arena pointers as parameters of kernel functions, named NAME__arena"
        case .inlineSites: "LOC_PARAM, LOC_PROTO, LOCSEC: inlined functions, and their parameters"
        }
    }

    /// What kbtf writes or does instead for older kernels.
    package var substitute: String {
        switch self {
        case .largeBTF: "-"
        case .functionLinkage: "all FUNCs are static"
        case .moduleBTF: "split BTF is refused"
        case .float: "INT of the same size"
        case .declTag, .typeTag, .flaggedTags: "omitted"
        case .toleratesMismatch: "the module does not load"
        case .enum64: "unsigned ENUM with the low 32 bits"
        case .longNames: "128 bytes; longer functions and variables are omitted"
        case .dottedNames: "functions and variables with dots are omitted"
        case .anySectionName: "letters, digits, '_' and '.'; other sections are omitted"
        case .distilledBase: "refused"
        case .structMetas: "not checked"
        case .sortedNames: "any order"
        case .implicitArguments, .arenaParameters: "written unchanged"
        case .layout: "a 24-byte header"
        case .inlineSites: "refused"
        case .manyElements, .anyTagOrder: "never written"
        }
    }
}
