// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Split BTF with its own small base, so that it does not need the BTF of a particular kernel.
package struct Distilled: Sendable {
    /// For `.BTF.base`.
    package let base: [UInt8]
    /// For `.BTF`: continues `base`.
    package let split: [UInt8]
    /// Own types of `split`.
    package let typeCount: Int
    /// Types of the base that share name and size with another one there: a kernel with such a base
    /// cannot tell which is meant, and refuses the BTF.
    package let ambiguous: [TypeID]
    /// The new id of each type, by old id; 0 for void, and for types of the base that are not
    /// needed.
    package let ids: [UInt32]
}

extension BTF {
    /// Cuts the base of this split BTF down to what it needs.
    ///
    /// Of the base's types that the own types reach, those that a kernel can find again by name and
    /// size form the new base: INT, FLOAT and FWD unchanged, named STRUCT, UNION and enums without
    /// their elements, an ENUM64 as an ENUM of its size. The types of such a struct's members are
    /// not needed. All others move to the split BTF, after the own types. Both keep their order.
    /// Corresponds to `btf__distill_base` of libbpf 1.8.
    ///
    /// - Parameter needed: ids of the base that are needed besides those that own types lead to.
    /// - Throws: `BTFError` if there is no base, if the base is itself split, or if a type refers
    ///   to something that cannot be distilled: functions, variables and tags of the base.
    package func distilled(keeping needed: [UInt32] = []) throws(BTFError) -> Distilled {
        guard let base else { throw BTFError(offset: 0, "no base to distill") }
        guard base.base == nil else { throw BTFError(offset: 0, "its base is itself split") }
        var distiller = Distiller(split: self, base: base)
        return try distiller.run(keeping: needed)
    }
}

private struct Distiller {
    let split: BTF
    let base: BTF
    /// What becomes of each type of the base.
    var fates: [Fate]
    /// By old id.
    var newIDs: [UInt32]

    enum Fate { case unused, distilled, moved }

    init(split: BTF, base: BTF) {
        self.split = split
        self.base = base
        fates = Array(repeating: .unused, count: Int(base.typeCount))
        newIDs = Array(repeating: 0, count: Int(split.typeCount))
    }

    mutating func run(keeping needed: [UInt32]) throws(BTFError) -> Distilled {
        try decideFates(besides: needed)
        let distilled = base.ownIDs.filter { fates[Int($0)] == .distilled }
        let moved = base.ownIDs.filter { fates[Int($0)] == .moved }
        var next: UInt32 = 1
        for ids in [distilled, Array(split.ownIDs), moved] {
            for id in ids {
                newIDs[Int(id)] = next
                next += 1
            }
        }
        let small = smallBase(distilled)
        var writer = SplitWriter(split, newIDs: newIDs, base: small)
        for start in split.starts { writer.add(split.words, Int(start)) }
        for id in moved { writer.add(base.words, start(id)) }
        let (words, strings) = writer.finish()
        return Distilled(
            base: BTF.serialized(
                words: small.words, strings: small.strings, bigEndian: split.bigEndian),
            split: BTF.serialized(words: words, strings: strings, bigEndian: split.bigEndian),
            typeCount: split.starts.count + moved.count, ambiguous: ambiguous(distilled),
            ids: newIDs)
    }

    /// Those of `ids` whose name and size are not unique, with structs and unions counting as one
    /// kind, enums as another.
    private func ambiguous(_ ids: [UInt32]) -> [TypeID] {
        func key(_ id: UInt32) -> [UInt32]? {
            let start = start(id)
            guard let kind = TypeInfo(rawValue: base.words[start + 1]).kind,
                kind.isComposite || kind.isAnyEnum
            else { return nil }
            return [base.words[start], base.words[start + 2], kind.isComposite ? 1 : 0]
        }
        var counts: [[UInt32]: Int] = [:]
        for id in ids { if let key = key(id) { counts[key] = 0 } }
        for id in base.ownIDs { if let key = key(id) { counts[key]? += 1 } }
        return ids.filter { id in key(id).map { counts[$0, default: 0] > 1 } ?? false }
            .map { TypeID($0) }
    }

    private func start(_ id: UInt32) -> Int { Int(base.starts[Int(id) - 1]) }

    /// Goes from the own types to all that they need of the base.
    private mutating func decideFates(besides needed: [UInt32]) throws(BTFError) {
        var pending = needed
        for start in split.starts {
            forEachReference(split.words, Int(start)) { pending.append(split.words[$0]) }
        }
        while let id = pending.popLast() {
            guard id < split.typeCount else {
                throw BTFError(offset: split.header.length, "type \(id) does not exist")
            }
            guard id != 0, id < split.firstID, fates[Int(id)] == .unused else { continue }
            let fate = try fate(of: id)
            fates[Int(id)] = fate
            guard fate == .moved else { continue }
            forEachReference(base.words, start(id)) { pending.append(base.words[$0]) }
        }
    }

    private func fate(of id: UInt32) throws(BTFError) -> Fate {
        let start = start(id)
        let isNamed = !base.stringBytes(at: base.words[start]).isEmpty
        // Known: parsing for other purposes than reading refuses others.
        switch TypeInfo(rawValue: base.words[start + 1]).kind?.role ?? .unknown {
        case .integer, .float, .forward, .composite, .enumeration:
            return isNamed ? .distilled : .moved
        case .array, .alias, .pointer, .qualifier, .prototype, .typeTag, .location,
            .locationPrototype:
            return .moved
        case .function, .variable, .section, .declarationTag, .locationSection, .unknown:
            throw BTFError(
                offset: base.header.length + start * 4,
                "\(base.record(TypeID(id))?.kind.word ?? "") '\(base.string(at: base.words[start]))' of the base cannot be distilled"
            )
        }
    }

    /// The records of the new base and its strings.
    private func smallBase(_ ids: [UInt32]) -> SmallBase {
        var words: [UInt32] = []
        var names = NameUses()
        for id in ids {
            let start = start(id)
            let info = TypeInfo(rawValue: base.words[start + 1])
            names.use(base.stringBytes(at: base.words[start]), at: words.count)
            switch info.kind!.role {
            case .composite:
                words.append(contentsOf: [0, TypeInfo(info.kind!).rawValue, base.words[start + 2]])
            case .enumeration:
                words.append(contentsOf: [0, TypeInfo(.enum).rawValue, base.words[start + 2]])
            // As they are; others are not distilled.
            case .integer, .float, .forward, .pointer, .array, .alias, .qualifier, .typeTag,
                .function, .prototype, .variable, .section, .declarationTag, .location,
                .locationPrototype, .locationSection, .unknown:
                words.append(contentsOf: base.words[start..<start + info.recordWords])
            }
        }
        let section = StringSection(names.names, leadingEmpty: true)
        var offsets: [ArraySlice<UInt8>: UInt32] = [:]
        for (name, offset) in zip(names.names, section.offsets) { offsets[name] = UInt32(offset) }
        for place in names.places { words[place.position] = UInt32(section.offsets[place.name]) }
        return SmallBase(words: words, strings: section.bytes, offsets: offsets)
    }
}

/// The distilled base.
private struct SmallBase {
    let words: [UInt32]
    let strings: [UInt8]
    /// Where the names of its types are. A kernel translates these offsets and no others.
    let offsets: [ArraySlice<UInt8>: UInt32]
}

/// Writes the records that continue the distilled base.
private struct SplitWriter {
    let split: BTF
    let newIDs: [UInt32]
    let base: SmallBase
    private var words: [UInt32] = []
    private var names = NameUses()

    init(_ split: BTF, newIDs: [UInt32], base: SmallBase) {
        self.split = split
        self.newIDs = newIDs
        self.base = base
    }

    mutating func add(_ source: [UInt32], _ start: Int) {
        let info = TypeInfo(rawValue: source[start + 1])
        let shift = words.count - start
        words.append(contentsOf: source[start..<start + info.recordWords])
        forEachReference(source, start) { words[$0 + shift] = newIDs[Int(source[$0])] }
        forEachName(source, start) { position in
            let name = split.stringBytes(at: source[position])
            if name.isEmpty {
                words[position + shift] = 0
            } else if let offset = base.offsets[name] {
                words[position + shift] = offset
            } else {
                names.use(name, at: position + shift)
            }
        }
    }

    consuming func finish() -> (words: [UInt32], strings: [UInt8]) {
        let section = StringSection(names.names, leadingEmpty: false)
        for place in names.places {
            words[place.position] = UInt32(base.strings.count + section.offsets[place.name])
        }
        return (words, section.bytes)
    }
}

/// Distinct names in order of first use, and the words that are to hold their offsets.
private struct NameUses {
    private(set) var names: [ArraySlice<UInt8>] = []
    private(set) var places: [(position: Int, name: Int)] = []
    private var numbers: [ArraySlice<UInt8>: Int] = [:]

    mutating func use(_ name: ArraySlice<UInt8>, at position: Int) {
        let number = numbers[name] ?? names.count
        if number == names.count {
            numbers[name] = number
            names.append(name)
        }
        places.append((position, number))
    }
}
