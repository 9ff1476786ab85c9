// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

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

    /// pahole's name of each feature, in pahole's order.
    package static let names: [(name: String, feature: Features)] = [
        ("encode_force", .encodeForce), ("var", .variables), ("float", .float),
        ("decl_tag", .declTag), ("type_tag", .typeTag), ("enum64", .enum64),
        ("optimized_func", .optimizedFunctions), ("consistent_func", .consistentFunctions),
    ]

    /// All of the above: what 6.12 asks pahole for, kfunc tags apart.
    package static let standard: Features = names.reduce(into: []) { $0.formUnion($1.feature) }

    /// What Debian's 6.1 and 6.12 kernels were built with.
    package static let legacy: Features = [.variables, .float, .enum64, .declTag, .typeTag]

    /// Reads a comma list; `default` stands for `standard`.
    ///
    /// - Returns: nil and the first name that is no feature.
    package static func parse(_ list: String) -> (features: Features, unknown: String?) {
        var features: Features = []
        for part in list.split(separator: ",") {
            if part == "default" || part == "all" {
                features.formUnion(.standard)
            } else if let known = names.first(where: { $0.name == part }) {
                features.formUnion(known.feature)
            } else {
                return (features, String(part))
            }
        }
        return (features, nil)
    }
}
