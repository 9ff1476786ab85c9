// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
package import ELF

/// What to encode, under pahole's feature names (`--btf_features`).
package struct Features: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    // The standard library's is not specialised: what the runtime looks up for it takes a third of
    // the start of pahole's role.
    package init(arrayLiteral elements: Features...) {
        self.init(rawValue: elements.reduce(0) { $0 | $1.rawValue })
    }

    /// Skip names that are not identifiers.
    package static let encodeForce = Features(rawValue: 1 << 0)
    /// Per-CPU variables, as VAR in a DATASEC.
    package static let variables = Features(rawValue: 1 << 1)
    /// FLOAT; without it floating-point types are INT.
    package static let float = Features(rawValue: 1 << 2)
    /// ENUM64; without it 64-bit enums are truncated to ENUM.
    package static let enum64 = Features(rawValue: 1 << 3)
    /// DECL_TAG for `btf_decl_tag` attributes.
    package static let declTag = Features(rawValue: 1 << 4)
    /// TYPE_TAG for `btf_type_tag` attributes.
    package static let typeTag = Features(rawValue: 1 << 5)
    /// Functions that exist only as `name.isra.0`, `name.constprop.0` and the like.
    package static let optimizedFunctions = Features(rawValue: 1 << 6)
    /// Leave out functions whose units disagree, or whose parameters are not where the ABI places
    /// them.
    package static let consistentFunctions = Features(rawValue: 1 << 7)
    /// DECL_TAG for kernel functions that BPF programs may call; requires `declTag`.
    package static let kernelFunctionTags = Features(rawValue: 1 << 8)
    /// TYPE_TAG with the kind flag for pointers of kernel functions with flags about them. Only
    /// together with `kernelFunctionTags`. Kernels before 6.15 refuse that.
    package static let attributes = Features(rawValue: 1 << 9)
    /// All variables with an address; includes `variables`.
    package static let globalVariables = Features(rawValue: 1 << 10)
    /// The layout section, in BTF that is not split. Kernels before 7.1 refuse that.
    package static let layout = Features(rawValue: 1 << 11)
    /// Split BTF gets a small base of its own.
    package static let distilledBase = Features(rawValue: 1 << 12)
    /// The places where functions are inlined, with those of their parameters.
    package static let inlineSites = Features(rawValue: 1 << 13)

    /// Units in Rust, as far as C has what they describe.
    package static let rust = Features(rawValue: 1 << 14)

    /// Functions whose callers pass other parameters than the source says, as their code has them.
    package static let trueSignatures = Features(rawValue: 1 << 15)

    /// pahole's name of each feature, in pahole's order, and what it does. Empty features are
    /// always on.
    package static let names: [(name: String, feature: Features, meaning: String)] = [
        ("encode_force", .encodeForce, "skip names that are not identifiers instead of failing"),
        ("var", .variables, "per-CPU variables"),
        ("float", .float, "floating-point types as FLOAT instead of INT"),
        ("decl_tag", .declTag, "btf_decl_tag attributes, and tags of kernel functions"),
        ("type_tag", .typeTag, "btf_type_tag attributes"),
        (
            "enum64", .enum64,
            "64-bit enums as ENUM64, and the signs of enums; otherwise cut to 32 bits"
        ),
        (
            "optimized_func", .optimizedFunctions,
            "functions that survive only as NAME.isra.0, NAME.constprop.0, ..."
        ),
        (
            "consistent_func", .consistentFunctions,
            "omit functions whose definitions or argument registers are inconsistent"
        ),
        ("decl_tag_kfuncs", .kernelFunctionTags, "tag the kernel functions that .BTF_ids lists"),
        ("reproducible_build", [], "always on: the same bytes with any number of jobs"),
        ("distilled_base", .distilledBase, "a distilled base (.BTF.base) for split BTF"),
        ("global_var", .globalVariables, "all variables with a fixed address"),
        (
            "attributes", .attributes,
            "attributes of kernel functions' pointers; with decl_tag_kfuncs"
        ),
        (
            "true_signature", .trueSignatures,
            "functions from which clang removed parameters, without these and without a result"
        ),
        ("layout", .layout, "a layout section, in standalone BTF"),
        (
            "inline", .inlineSites,
            "where functions are inlined, and the places of their parameters (.BTF.inline)"
        ),
        (
            "rust", .rust,
            "units in Rust: plain structs, unions, enums and functions of C's calling convention"
        ),
        ("force_cu_merging", [], "always on: the types of all units are merged"),
    ]

    /// What a kernel must accept for the feature; nil if all kernels accept it.
    package var ability: KernelAbility? { Self.needs.first { $0.feature == self }?.ability }

    /// The default of pahole 1.32, which 6.12 requests.
    package static let standard: Features = [
        .encodeForce, .variables, .float, .declTag, .typeTag, .enum64, .optimizedFunctions,
        .consistentFunctions, .kernelFunctionTags,
    ]

    /// The features with which Debian's 6.1 and 6.12 kernels were built.
    package static let legacy: Features = [.variables, .float, .enum64, .declTag, .typeTag]

    /// Languages whose units are left out if nothing else is said, see `Language.parse`.
    package var excludedLanguages: Set<UInt64> { contains(.rust) ? [] : [Language.rust] }

    /// How to open files for encoding: variables are distinguished by their sections.
    package var sectionSeparation: SectionSeparation {
        if contains(.globalVariables) || contains(.inlineSites) { return .all }
        return contains(.variables) ? .withSection(PerCPUSection.name) : .none
    }

    /// Parses a comma-separated list; `default` stands for `standard`, `all` for all features.
    ///
    /// - Returns: the features, and the first unknown name.
    package static func parse(_ list: String) -> (features: Features, unknown: String?) {
        var features: Features = []
        for part in list.split(separator: ",") {
            guard let known = named(part) else { return (features, String(part)) }
            features.formUnion(known)
        }
        return (features, nil)
    }

    /// The feature with this name, possibly empty, or the features of `default` or `all`; nil if
    /// there is none.
    package static func named(_ name: some StringProtocol) -> Features? {
        switch name {
        case "default": .standard
        case "all": names.reduce(into: []) { $0.formUnion($1.feature) }
        default: names.first { $0.name == name }?.feature
        }
    }
}
