// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Console
import DWARFToBTF
import KernelTree

/// The features to encode, and how they were asked for.
struct FeatureRequest: Sendable {
    var features: Features
    /// Those that were named one by one, and not by `default` or `all`.
    var named: Features = []
    /// Write a distilled base whatever the kernel does with it.
    var forcesDistilledBase = false
    /// What is named and cannot be had is left out with a word, as kernel builds name features without looking.
    var isLenient = false

    /// What is left of the features for a kernel.
    struct Fitted {
        var features: Features
        /// Left out because the kernel does not take them, without having been named.
        var without: [String] = []
        /// As `without`, though they were named.
        var refused: [String] = []
    }

    /// Takes out what the kernel does not take.
    ///
    /// - Throws: when a feature was named that cannot be had.
    func fitted(to target: TargetChoice) throws(Failure) -> Fitted {
        var fitted = Fitted(features: features)
        for (name, feature, lacks) in features.beyond(target.rules) {
            if feature == .distilledBase, forcesDistilledBase { continue }
            guard named.contains(feature) else {
                fitted.features.remove(feature)
                fitted.without.append(name)
                continue
            }
            // Asked for by name, and nothing proves that it cannot be had.
            guard target.surelyLacks(lacks) else { continue }
            guard isLenient else { throw refusal(of: feature, name, lacks, target) }
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
            ? "\(target.source): \(name): \(target.rules) does not take it, "
            : "\(name): \(target) does not take it, "
        return Failure(
            kernel + "\(lacks.since) and later do",
            hint: feature == .distilledBase
                ? "leave \(name) out, or write it all the same with --force"
                : "leave \(name) out of --features"
                    + (target.isNamed ? "" : ", or name the kernel with --target"))
    }
}
