// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

/// Evidence of which kernel a file's BTF is for, used if the user names no target.
package struct TargetSigns: Sendable {
    /// The base of split BTF.
    package struct Base: Sendable {
        package let path: String
        package let release: KernelRelease?
        package let evidence: TargetEvidence

        package init(path: String, release: KernelRelease?, evidence: TargetEvidence) {
            self.path = path
            self.release = release
            self.evidence = evidence
        }
    }

    package var base: Base?
    /// The release in a module's `vermagic`, or in the banner of a kernel itself.
    package var own: KernelRelease?
    /// The file is a kernel, and `own` comes from its banner.
    package var isKernel = false
    /// The kernel's build trees, the likeliest first. Read only if the other evidence leaves a
    /// question open.
    package var trees: [KernelTreePlace] = []
    /// The evidence in a kernel's own debug information; requested if its release does not support
    /// everything.
    package var ownEvidence: @Sendable () -> TargetEvidence? = { nil }

    package init() {}
}

/// The kernel that a file's BTF is for, and how it was determined.
package struct TargetChoice: Sendable, CustomStringConvertible {
    package let rules: TargetRules
    /// Named by the user.
    package let isNamed: Bool
    /// What decided, to follow the word `by`: `--target 5.15`, `its vermagic (5.15.0-130-generic)`.
    package let source: String
    private let denied: Set<KernelAbility>

    /// Chooses the first of these that is known: `target`, the base, the file itself, the tree.
    ///
    /// The base may show that a kernel accepts more than its release, or less; then the base is
    /// believed. A kind missing from the base counts against the kernel only if no release is
    /// known.
    ///
    /// - Parameter target: the kernel that the user named.
    /// - Returns: nil if nothing is known.
    package init?(named target: KernelTarget?, _ name: String, signs: TargetSigns) {
        if let target {
            (rules, isNamed, source, denied) = (target.rules, true, "--target \(name)", [])
            return
        }
        isNamed = false
        var search = TargetSearch(signs)
        guard let found = search.run() else { return nil }
        rules = found
        source = search.sources.joined(separator: " and ")
        denied = search.evidence.denied
    }

    /// The kernel is known to lack it, as opposed to nothing being known.
    package func surelyLacks(_ ability: KernelAbility) -> Bool {
        !rules.has(ability) && (isNamed || rules.version != nil || denied.contains(ability))
    }

    /// `Linux 5.15, by its vermagic (5.15.0-130-generic)`.
    package var description: String { "\(rules), by \(source)" }
}

private struct TargetSearch {
    let signs: TargetSigns
    private(set) var evidence = TargetEvidence()
    private(set) var sources: [String] = []
    private var release: KernelRelease?

    init(_ signs: TargetSigns) { self.signs = signs }

    mutating func run() -> TargetRules? {
        evidence = signs.base?.evidence ?? evidence
        if let base = signs.base, let release = base.release, release.version != nil {
            take(release, "the base \(base.path) (\(release))")
        } else if let own = signs.own, own.version != nil {
            take(own, signs.isKernel ? "its banner (\(own))" : "its vermagic (\(own))")
        }
        if release == nil, let (place, tree) = signs.trees.lazy.compactMap(Self.read).first {
            take(tree, "the tree \(place.folder) (\(tree))")
        }
        guard let rules = rules() else { return nil }
        // Distributions backport kinds to releases that did not have them.
        guard KernelAbility.listedKinds.contains(where: { !rules.has($0.ability) }),
            !evidence.listsKinds, let more = listedElsewhere()
        else { return rules }
        evidence.shown.formUnion(more.shown)
        evidence.denied.formUnion(more.denied.subtracting(evidence.shown))
        return self.rules()
    }

    private mutating func take(_ release: KernelRelease, _ source: String) {
        self.release = release
        sources = [source]
    }

    private static func read(_ place: KernelTreePlace) -> (KernelTreePlace, KernelRelease)? {
        place.release.flatMap { $0.version == nil ? nil : (place, $0) }
    }

    private mutating func rules() -> TargetRules? {
        guard let version = release?.version.map({ KernelVersion($0.major, $0.minor) }) else {
            // A base that is too small lacks kinds because nothing needed them.
            guard let base = signs.base, evidence.listsKinds || evidence.isWholeKernel else {
                return nil
            }
            sources = ["the base \(base.path)" + remark]
            return TargetRules(nil, evidence)?.granting(
                KernelAbility.mayBeHidden.subtracting(evidence.denied))
        }
        let plain = TargetRules(max(version, TargetRules.oldest))
        let rules = TargetRules(max(version, TargetRules.oldest), evidence)
        if let base = signs.base, base.release == nil, rules != plain, sources.count == 1 {
            sources.append("the base \(base.path)" + remark)
        }
        // Stable releases backported this.
        return rules?.granting([.dottedNames])
    }

    /// The kinds missing from the base's list.
    private var remark: String {
        let missing = KernelAbility.listedKinds.filter { evidence.denied.contains($0.ability) }
        if missing.isEmpty { return "" }
        return ", which lists no "
            + missing.map { String($0.name.dropFirst("BTF_KIND_".count)) }.joined(separator: ", ")
    }

    private mutating func listedElsewhere() -> TargetEvidence? {
        if let own = signs.ownEvidence() { return own }
        for place in signs.trees {
            if let release, let tree = place.release,
                let (a, b) = both(release.version, tree.version), a != b
            {
                continue
            }
            guard let found = place.listedKinds else { continue }
            sources.append("the header \(found.path)")
            return found.evidence
        }
        return nil
    }

    private func both<T>(_ a: T?, _ b: T?) -> (T, T)? {
        if let a, let b { return (a, b) }
        return nil
    }
}
