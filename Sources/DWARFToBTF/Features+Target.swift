// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

extension Features {
    /// What a kernel must accept for a feature; other features are the same for all kernels.
    static let needs: [(feature: Features, ability: KernelAbility)] = [
        (.float, .float), (.declTag, .declTag), (.typeTag, .typeTag), (.enum64, .enum64),
        (.kernelFunctionTags, .declTag), (.distilledBase, .distilledBase),
        (.attributes, .flaggedTags), (.layout, .layout), (.inlineSites, .inlineSites),
    ]

    /// The features among these that a kernel with these rules does not accept, with pahole's names
    /// and what the kernel lacks.
    package func beyond(
        _ rules: TargetRules
    ) -> [(name: String, feature: Features, lacks: KernelAbility)] {
        Self.needs.compactMap { feature, ability in
            guard contains(feature), !rules.has(ability),
                let name = Self.names.first(where: { $0.feature == feature })?.name
            else { return nil }
            return (name, feature, ability)
        }
    }

    /// Features that a comma-separated list names individually, not by `default` or `all`.
    package static func named(in list: String) -> Features {
        list.split(separator: ",").reduce(into: []) { features, part in
            if let known = names.first(where: { $0.name == part }) {
                features.formUnion(known.feature)
            }
        }
    }
}
