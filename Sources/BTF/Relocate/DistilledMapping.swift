// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Maps each type of a distilled base to a type of a kernel: rules D1 to D7 and D9 of
/// Relocate.swift.
struct DistilledMapping {
    private let split: BTF
    private let base: BTF
    /// By id of the distilled base; 0 for what is not found.
    private(set) var ids: [UInt32]
    /// By offset of a distilled type's name, that of the same name in the kernel's strings.
    private(set) var names: [UInt32: UInt32] = [:]
    /// Structs and unions that own types hold by value, and whose size matters for that.
    private var embedded: Set<UInt32> = []

    init(split: BTF, base: BTF) {
        self.split = split
        self.base = base
        ids = Array(repeating: 0, count: Int(base.typeCount))
    }

    private func offset(of id: UInt32) -> Int {
        base.header.length + base.header.typeOffset + Int(base.starts[Int(id) - 1]) * 4
    }

    /// D1 and D2.
    func validate() throws(RelocationError) {
        for record in base.ownRecords {
            let (id, kind) = (record.id.rawValue, record.kind)
            guard kind.isInDistilledBase else {
                throw RelocationError(
                    .kind, in: .distilledBase, offset: offset(of: id),
                    "type [\(id)] in distilled based BTF has unexpected kind [\(kind.rawValue)]")
            }
            guard record.nameOffset != 0 else {
                throw RelocationError(
                    .name, in: .distilledBase, offset: offset(of: id),
                    "type [\(id)], kind [\(kind.rawValue)] is invalid for distilled base BTF; it is anonymous"
                )
            }
        }
    }

    mutating func search(in target: BTF) throws(RelocationError) {
        findEmbedded()
        var wanted: [UInt64: [UInt32]] = [:]
        for id in base.ownIDs {
            wanted[hash(base.stringBytes(at: nameOffset(id, in: base))), default: []].append(id)
        }
        // Void has a name as well, the empty one.
        wanted[hash([]), default: []].append(0)
        let candidates = Candidates(in: target, wanted)
        for candidate in candidates.list {
            for id in wanted[candidate.hash] ?? [] where names(candidate, id, target) {
                if id == 0 {
                    guard !candidate.needsSize || candidate.size == 0 else { continue }
                    throw RelocationError(
                        .void, in: .base, offset: 0,
                        "base BTF id [\(candidate.id)] maps to invalid distilled base BTF id [0]")
                }
                guard isMatch(candidate, id) else { continue }
                try map(id, to: candidate)
            }
        }
        for id in base.ownIDs where ids[Int(id)] == 0 {
            throw RelocationError(
                .unmapped, in: .distilledBase, offset: offset(of: id),
                "distilled base BTF type '\(name(id))' [\(id)] is not mapped to base BTF id")
        }
    }

    private mutating func map(_ id: UInt32, to candidate: Candidate) throws(RelocationError) {
        guard ids[Int(id)] == 0 else {
            throw RelocationError(
                .ambiguous, in: .distilledBase, offset: offset(of: id),
                "distilled base BTF type '\(name(id))' [\(id)], size \(size(id)) has multiple candidates of the same size (ids [\(ids[Int(id)]), \(candidate.id)]) in base BTF"
            )
        }
        ids[Int(id)] = candidate.id
        names[nameOffset(id, in: base)] = candidate.nameOffset
    }

    /// D3, D4 and D5, for a type of the same name.
    private func isMatch(_ candidate: Candidate, _ id: UInt32) -> Bool {
        let info = info(id)
        if candidate.needsSize, candidate.size != size(id) { return false }
        switch (info.kind, candidate.info.kind) {
        case (.fwd, .fwd): return info.flag == candidate.info.flag
        case (.fwd, .struct): return !candidate.info.flag
        case (.fwd, .union): return candidate.info.flag
        case (.int, .int): return encoding(of: id) == candidate.encoding
        case (.float, .float), (.enum, .enum), (.enum, .enum64): return true
        case (.struct, _), (.union, _):
            return !embedded.contains(id) || candidate.size == size(id)
        default: return false
        }
    }

    /// Goes from the members of own structs and unions through arrays and modifiers.
    private mutating func findEmbedded() {
        // By id of the split BTF: what a member of that type holds by value, once known.
        var isKnown: Set<UInt32> = []
        for start in split.starts.lazy.map(Int.init)
        where TypeInfo(rawValue: split.words[start + 1]).kind?.isComposite == true {
            forEachReference(split.words, start) { position in
                var id = split.words[position]
                while id != 0, isKnown.insert(id).inserted {
                    let (words, at) = split.place(of: id)
                    let kind = TypeInfo(rawValue: words[at + 1]).kind
                    if kind?.isComposite == true {
                        if id < split.firstID { embedded.insert(id) }
                        return
                    }
                    guard kind == .array || kind?.isModifier == true else { return }
                    id = words[at + (kind == .array ? 3 : 2)]
                }
            }
        }
    }

    // MARK: Types of the distilled base

    private func info(_ id: UInt32) -> TypeInfo {
        TypeInfo(rawValue: base.words[Int(base.starts[Int(id) - 1]) + 1])
    }

    /// Its third word: 0 for a FWD.
    private func size(_ id: UInt32) -> UInt32 { base.words[Int(base.starts[Int(id) - 1]) + 2] }

    private func encoding(of id: UInt32) -> UInt32 {
        base.words[Int(base.starts[Int(id) - 1]) + 3] >> 24
    }

    private func name(_ id: UInt32) -> String { base.string(at: nameOffset(id, in: base)) }

    private func names(_ candidate: Candidate, _ id: UInt32, _ target: BTF) -> Bool {
        let own = id == 0 ? [] : base.stringBytes(at: nameOffset(id, in: base))
        return own.elementsEqual(target.stringBytes(at: candidate.nameOffset))
    }
}

private func nameOffset(_ id: UInt32, in btf: BTF) -> UInt32 {
    btf.words[Int(btf.starts[Int(id) - 1])]
}

private func hash(_ name: ArraySlice<UInt8>) -> UInt64 { withBytes(Array(name)) { hashBytes($0) } }

/// A type of the kernel that may be meant.
private struct Candidate {
    let id: UInt32
    let hash: UInt64
    let nameOffset: UInt32
    let info: TypeInfo
    /// Its third word.
    let size: UInt32
    /// Of an INT.
    let encoding: UInt32
    /// The size must be that of the distilled type.
    var needsSize: Bool
}

private struct Candidates {
    /// In order of their ids.
    private(set) var list: [Candidate] = []

    /// - Parameter wanted: has hashes of the names that matter.
    init(in target: BTF, _ wanted: [UInt64: [UInt32]]) {
        var composites: [UInt32: Int] = [:]
        for id in 1..<target.typeCount {
            let (words, start) = target.place(of: id)
            let info = TypeInfo(rawValue: words[start + 1])
            guard words[start] != 0, let kind = info.kind, kind.isFoundByName else { continue }
            let hash = hash(target.stringBytes(at: words[start]))
            guard wanted[hash] != nil else { continue }
            if kind.isComposite { composites[words[start], default: 0] += 1 }
            list.append(
                Candidate(
                    id: id, hash: hash, nameOffset: words[start], info: info,
                    size: words[start + 2],
                    encoding: kind == .int ? words[start + 3] >> 24 : 0,
                    needsSize: !kind.isComposite && kind != .fwd))
        }
        for index in list.indices where list[index].info.kind?.isComposite == true {
            list[index].needsSize = composites[list[index].nameOffset, default: 0] > 1
        }
    }
}
