// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF

/// What the relocations of one object lead to in a kernel, as libbpf resolves them when it loads
/// the object.
struct RelocationAnswers {
    /// What one of them leads to.
    struct Answer {
        let kind: RelocationKind
        /// The BTF that `path` is in.
        let source: Int
        let path: AccessPath
    }

    private let object: RelocatedObject
    private let targets: RelocationTargets
    /// By type of the object. Types that lack what one relocation asks for are not considered
    /// again.
    private var candidates: [TypeID: [RelocationTargets.Place]] = [:]
    /// By source.
    private var searches: [Int: PathSearch] = [:]

    init(_ object: RelocatedObject, in targets: RelocationTargets) {
        self.object = object
        self.targets = targets
    }

    /// - Returns: nil if the kernel has nothing like it, or need not have.
    /// - Throws: `BPFObjectError` if the relocation is not valid, or if types of the kernel
    ///   disagree.
    mutating func answer(
        _ relocation: ExtendedInfo.FieldRelocation
    ) throws(BPFObjectError) -> Answer? {
        do throws(RelocationFault) { return try find(relocation) } catch {
            throw object.error(relocation, error.message)
        }
    }

    private mutating func find(
        _ relocation: ExtendedInfo.FieldRelocation
    ) throws(RelocationFault) -> Answer? {
        guard let kind = relocation.question, let local = object.btf.record(relocation.type) else {
            throw RelocationFault("unknown kind \(relocation.kind)")
        }
        let path = try AccessPath(relocation, kind, in: object.btf)
        if kind == .localType { return nil }
        guard !local.nameBytes.isEmpty else {
            throw RelocationFault("the type has no name that a kernel's could have")
        }
        _ = try path.value(kind, in: object.btf)
        let places = candidates[local.id] ?? targets.candidates(for: local)
        var fitting: [RelocationTargets.Place] = []
        var first: (answer: Answer, value: UInt64)?
        for place in places {
            let btf = targets.sources[place.source]
            var search =
                searches.removeValue(forKey: place.source)
                ?? PathSearch(local: object.btf, target: btf)
            defer { searches[place.source] = search }
            guard let found = try search.path(like: path, kind, from: place.type) else { continue }
            let value = try found.value(kind, in: btf)
            fitting.append(place)
            guard let first else {
                first = (Answer(kind: kind, source: place.source, path: found), value)
                continue
            }
            guard first.answer.path.bitOffset == found.bitOffset, first.value == value else {
                throw RelocationFault(
                    "types [\(first.answer.path.root)] and [\(place.type)] of the kernel give different "
                        + "answers, \(first.value) and \(value)")
            }
        }
        candidates[local.id] = fitting.isEmpty ? places : fitting
        return first?.answer
    }
}
