// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Console
import DWARFToBTF
import KernelTree

/// The features to encode, and how they were requested.
struct FeatureRequest: Sendable {
    var features: Features
    /// Features named individually instead of by `default` or `all`.
    var named: Features = []
    /// Write a distilled base, and inline sites, whatever the kernel does with them.
    var forcesSections = false
    /// Drop a named feature that is not possible with a message, because kernel builds name
    /// features unconditionally.
    var isLenient = false

    /// The features that remain for a kernel.
    struct Fitted {
        var features: Features
        /// Removed because the kernel does not accept them; not named individually.
        var without: [String] = []
        /// The same, but named individually.
        var refused: [String] = []
    }

    /// Removes what the kernel does not accept.
    ///
    /// - Throws: if a named feature is not possible.
    func fitted(to target: TargetChoice) throws(Failure) -> Fitted {
        var fitted = Fitted(features: features)
        for (name, feature, lacks) in features.beyond(target.rules) {
            if feature == .distilledBase || feature == .inlineSites, forcesSections { continue }
            guard named.contains(feature) else {
                fitted.features.remove(feature)
                fitted.without.append(name)
                continue
            }
            // Requested by name, and nothing proves it impossible.
            guard target.surelyLacks(lacks) else { continue }
            guard isLenient else { throw refusal(of: feature, name, lacks, target) }
            // The kernel's own build asks for it, and its next step takes it out of the BTF.
            if feature == .inlineSites { continue }
            fitted.features.remove(feature)
            fitted.refused.append(name)
        }
        return fitted
    }

    private func refusal(
        of feature: Features, _ name: String, _ lacks: KernelAbility, _ target: TargetChoice
    ) -> Failure {
        let kernel =
            target.isNamed
            ? "\(target.source): \(name): \(target.rules) does not accept it, "
            : "\(name): \(target) does not accept it, "
        return Failure(
            kernel + "\(lacks.since) and later do",
            hint: feature == .distilledBase || feature == .inlineSites
                ? "omit \(name), or write it anyway with --force"
                : "omit \(name) from --features"
                    + (target.isNamed ? "" : ", or specify the kernel with --target"))
    }
}
