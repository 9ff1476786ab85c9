// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
package import ELF

/// What to encode, under pahole's feature names (`--btf_features`).
package struct Features: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Go on past names that are no identifiers.
    package static let encodeForce = Features(rawValue: 1 << 0)
    /// Per-CPU variables, as VAR in a DATASEC.
    package static let variables = Features(rawValue: 1 << 1)
    /// FLOAT; without it floating-point types are INT.
    package static let float = Features(rawValue: 1 << 2)
    /// ENUM64; without it 64-bit enums are cut to ENUM.
    package static let enum64 = Features(rawValue: 1 << 3)
    /// DECL_TAG for `btf_decl_tag` attributes.
    package static let declTag = Features(rawValue: 1 << 4)
    /// TYPE_TAG for `btf_type_tag` attributes.
    package static let typeTag = Features(rawValue: 1 << 5)
    /// Functions that only exist as `name.isra.0`, `name.constprop.0` and the like.
    package static let optimizedFunctions = Features(rawValue: 1 << 6)
    /// Leave out functions whose units disagree, or whose parameters are not where the ABI puts them.
    package static let consistentFunctions = Features(rawValue: 1 << 7)
    /// DECL_TAG for kernel functions that BPF programs may call; as `declTag`, which it needs.
    package static let kernelFunctionTags = Features(rawValue: 1 << 8)
    /// TYPE_TAG with the kind flag for what kernel functions say of their pointers. Only together with
    /// `kernelFunctionTags`. Kernels before 6.15 refuse that.
    package static let attributes = Features(rawValue: 1 << 9)
    /// All variables with an address; includes `variables`.
    package static let globalVariables = Features(rawValue: 1 << 10)
    /// The layout section, in BTF that is not split. Kernels before 7.1 refuse that.
    package static let layout = Features(rawValue: 1 << 11)
    /// Split BTF brings its own small base along.
    package static let distilledBase = Features(rawValue: 1 << 12)

    /// pahole's name of each feature, in pahole's order, and what it does. What is empty here is always so.
    package static let names: [(name: String, feature: Features, meaning: String)] = [
        ("encode_force", .encodeForce, "skip names that are not identifiers instead of failing"),
        ("var", .variables, "per-CPU variables"),
        ("float", .float, "floating-point types as FLOAT, not INT"),
        ("decl_tag", .declTag, "btf_decl_tag attributes, and tags of kernel functions"),
        ("type_tag", .typeTag, "btf_type_tag attributes"),
        (
            "enum64", .enum64,
            "enums of 64 bits as ENUM64, and signs of enums; otherwise cut to 32 bits"
        ),
        (
            "optimized_func", .optimizedFunctions,
            "functions left only as NAME.isra.0, NAME.constprop.0, ..."
        ),
        (
            "consistent_func", .consistentFunctions,
            "leave out functions whose definitions or argument registers are inconsistent"
        ),
        ("decl_tag_kfuncs", .kernelFunctionTags, "tag the kernel functions that .BTF_ids lists"),
        ("reproducible_build", [], "always so: the same bytes from any number of jobs"),
        ("distilled_base", .distilledBase, "a base of its own (.BTF.base) for split BTF"),
        ("global_var", .globalVariables, "all variables with a fixed address"),
        (
            "attributes", .attributes,
            "attributes of kernel functions' pointers; with decl_tag_kfuncs"
        ),
        ("layout", .layout, "a layout section, in BTF that is not split"),
        ("force_cu_merging", [], "always so: types of all units are merged"),
    ]

    /// What a kernel must accept for the feature; nil for one that is the same to all kernels.
    package var ability: KernelAbility? { Self.needs.first { $0.feature == self }?.ability }

    /// pahole 1.32's default: what 6.12 asks for.
    package static let standard: Features = [
        .encodeForce, .variables, .float, .declTag, .typeTag, .enum64, .optimizedFunctions,
        .consistentFunctions, .kernelFunctionTags,
    ]

    /// What Debian's 6.1 and 6.12 kernels were built with.
    package static let legacy: Features = [.variables, .float, .enum64, .declTag, .typeTag]

    /// How to open the files that are to be encoded: variables are told apart by the sections they are in.
    package var sectionSeparation: SectionSeparation {
        if contains(.globalVariables) { return .all }
        return contains(.variables) ? .withSection(PerCPUSection.name) : .none
    }

    /// Reads a comma list; `default` stands for `standard`, `all` for all features.
    ///
    /// - Returns: the features, and the first name that is none.
    package static func parse(_ list: String) -> (features: Features, unknown: String?) {
        var features: Features = []
        for part in list.split(separator: ",") {
            guard let known = named(part) else { return (features, String(part)) }
            features.formUnion(known)
        }
        return (features, nil)
    }

    /// The feature of that name, which may be empty, or the features behind `default` or `all`; nil when
    /// there is none.
    package static func named(_ name: some StringProtocol) -> Features? {
        switch name {
        case "default": .standard
        case "all": names.reduce(into: []) { $0.formUnion($1.feature) }
        default: names.first { $0.name == name }?.feature
        }
    }
}
