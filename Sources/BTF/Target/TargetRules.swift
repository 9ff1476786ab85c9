// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What a kernel takes as BTF.
package struct TargetRules: Hashable, Sendable, CustomStringConvertible {
    /// The first release with VAR and DATASEC; there are no rules for older ones.
    package static let oldest = KernelVersion(5, 2)
    /// The last release whose rules are known; newer ones are held to have the same.
    package static let newest = KernelVersion(7, 3)

    /// The kernel's release; nil if only its BTF is known.
    package let version: KernelVersion?
    package let abilities: Set<KernelAbility>
    /// It turns standalone BTF of modules into split BTF. No release does; kernels with the patches
    /// of kbuild/patches do.
    package let renumbersStandalone: Bool
    /// The oldest release with all abilities shown, if the release is unknown.
    private let least: KernelVersion?

    /// The rules of a release; nil for one before `oldest`.
    package init?(_ version: KernelVersion) {
        guard version >= Self.oldest else { return nil }
        self.version = version
        least = nil
        renumbersStandalone = false
        abilities = Set(KernelAbility.allCases.filter { $0.since <= version })
    }

    /// - Parameters:
    ///   - version: the kernel's release, nil when it is not known.
    ///   - evidence: what else is known. Distributions backport changes to older releases; the
    ///     evidence shows it.
    /// - Returns: nil for a release before `oldest`.
    package init?(_ version: KernelVersion?, _ evidence: TargetEvidence) {
        var known: Set<KernelAbility>
        if let version {
            guard let rules = TargetRules(version) else { return nil }
            known = rules.abilities
            least = nil
        } else {
            // What is older than something it has, it has as well.
            // But for dots, which stable releases of older kernels take as well.
            let least =
                evidence.shown.subtracting([.dottedNames]).map(\.since).max() ?? Self.oldest
            known = Set(KernelAbility.allCases.filter { $0.since <= least })
            self.least = least
        }
        known.formUnion(evidence.shown)
        known.subtract(evidence.denied)
        abilities = known
        renumbersStandalone = evidence.renumbersStandalone
        self.version = version
    }

    /// As above, by the kernel's own BTF.
    package init?(_ version: KernelVersion?, showing btf: BTF) {
        self.init(version, TargetEvidence(btf))
    }

    /// The same rules, less strict in these points.
    package func granting(_ more: Set<KernelAbility>) -> TargetRules {
        TargetRules(self, abilities: abilities.union(more))
    }

    private init(_ other: TargetRules, abilities: Set<KernelAbility>) {
        version = other.version
        self.abilities = abilities
        renumbersStandalone = other.renumbersStandalone
        least = other.least
    }

    package func has(_ ability: KernelAbility) -> Bool { abilities.contains(ability) }

    /// `Linux 6.1`; or `a kernel like Linux 6.1`, judged by its BTF, if the release is unknown.
    package var description: String {
        if let version { return "Linux \(version)" }
        return "a kernel like Linux \(least ?? Self.oldest)"
    }

    package func takes(_ kind: Kind) -> Bool { kind.row.needs.map(has) ?? true }

    /// The highest kind it knows. Kinds came in order of their numbers.
    package var highestKind: Kind { Kind.allCases.last(where: takes) ?? .datasec }

    /// The most elements of a record.
    package var maxElements: Int { has(.manyElements) ? 0xff_ffff : TypeInfo.maxVlenBefore72 }

    /// The header it knows, in bytes. What a longer one holds beyond must be zero.
    package var headerLength: Int { has(.layout) ? Header.longLength : Header.shortLength }

    /// Bits of `info` that may be set; nil where they are not looked at.
    package var infoMask: UInt32? {
        if has(.manyElements) { return nil }
        // A fifth bit for the kind came with FLOAT.
        return has(.float) ? 0x9f00_ffff : 0x8f00_ffff
    }

    /// The longest name, in bytes: KSYM_NAME_LEN.
    package var maxNameLength: Int { has(.longNames) ? Int(Self.longNameLimit) : 128 }

    /// KSYM_NAME_LEN of the kernels with `KernelAbility.longNames`.
    static let longNameLimit: UInt32 = 512

    /// Whether it takes the name of a type, function, variable, member or value.
    package func takes(identifier name: ArraySlice<UInt8>) -> Bool {
        name.isIdentifier && name.count <= maxNameLength
            && (has(.dottedNames) || !name.contains(UInt8(ascii: ".")))
    }

    /// Whether it takes the name of a DATASEC.
    package func takes(sectionName name: ArraySlice<UInt8>) -> Bool {
        (has(.anySectionName) ? name.isSectionName : name.isIdentifier)
            && name.count <= maxNameLength
    }
}
