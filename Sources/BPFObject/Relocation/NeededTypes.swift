// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

/// The types of a kernel that relocations of BPF objects need, and no others: structs keep their
/// size and the members that are asked for. An object finds in them what it finds in the kernel's
/// BTF. Corresponds to what bpftool 7.8 calls `min_core_btf`, which does it for one BTF only.
package struct NeededTypes {
    private let targets: RelocationTargets
    /// What is needed so far.
    package private(set) var excerpt: Excerpt
    /// Types that were followed already.
    private var followed: Set<Step> = []

    private struct Step: Hashable {
        let place: RelocationTargets.Place
        let way: Way
    }

    /// How far what a type refers to is needed.
    private enum Way: Hashable {
        /// Up to pointers.
        case value
        /// Also behind pointers, but not into structs.
        case type
        /// With all members, also of structs in it.
        case definition
        /// Behind a pointer, with names of structs only.
        case name
    }

    package init(_ targets: RelocationTargets) {
        self.targets = targets
        excerpt = Excerpt(targets.sources)
    }

    /// Adds what an object needs.
    ///
    /// - Returns: relocations that the kernel has nothing for, and those that ask for ids of types,
    ///   which are not the kernel's in an excerpt.
    /// - Throws: `BPFObjectError` for a relocation that cannot be resolved.
    package mutating func add(
        _ object: RelocatedObject
    ) throws(BPFObjectError) -> (missing: Int, ids: Int) {
        var answers = RelocationAnswers(object, in: targets)
        var counts = (missing: 0, ids: 0)
        for relocation in object.relocations {
            guard let answer = try answers.answer(relocation) else {
                if relocation.question != .localType { counts.missing += 1 }
                continue
            }
            if answer.kind == .targetType { counts.ids += 1 }
            do throws(RelocationFault) { try add(answer) } catch {
                throw object.error(relocation, error.message)
            }
        }
        return counts
    }

    private mutating func add(_ answer: RelocationAnswers.Answer) throws(RelocationFault) {
        let root = targets.place(answer.path.root, in: answer.source)
        switch answer.kind {
        case .typeMatches: try follow(root, .definition)
        case .localType: break
        case .targetType, .typeExists, .typeSize: try follow(root, .type)
        case .enumeratorExists, .enumeratorValue: try follow(root, .value)
        case .byteOffset, .byteSize, .fieldExists, .isSigned, .leftShift, .rightShift:
            try follow(root, .value)
            try add(members: answer.path, in: answer.source)
        }
    }

    private mutating func add(
        members path: AccessPath, in source: Int
    ) throws(RelocationFault) {
        let btf = targets.sources[source]
        var current = path.root
        for number in path.numbers.dropFirst() {
            guard let record = btf.resolved(current)?.record else {
                throw RelocationFault("type [\(current)] of the kernel leads to no type")
            }
            if record.kind == .array {
                current = TypeID(record.fixed(0))
                continue
            }
            let place = targets.place(record.id, in: source)
            excerpt.insert(member: number, of: place.type, in: place.source)
            current = record.place(ofMember: number).type
            try follow(targets.place(current, in: source), .value)
        }
    }

    // MARK: What types refer to

    private mutating func follow(
        _ place: RelocationTargets.Place, _ way: Way
    ) throws(RelocationFault) {
        var pending = [Step(place: place, way: way)]
        while let step = pending.popLast() {
            guard step.place.type != .void, followed.insert(step).inserted else { continue }
            let (source, id) = (step.place.source, step.place.type)
            guard let record = targets.sources[source].record(id) else {
                throw RelocationFault("type [\(id)] of the kernel does not exist")
            }
            excerpt.insert(id, in: source)
            func need(_ type: TypeID, _ way: Way) {
                pending.append(Step(place: targets.place(type, in: source), way: way))
            }
            let isMatched = step.way == .definition || step.way == .name
            switch record.kind.role {
            case .integer, .float, .enumeration, .forward: break
            case .composite:
                guard step.way == .definition else { break }
                for index in 0..<record.count {
                    excerpt.insert(member: index, of: id, in: source)
                    need(TypeID(record.element(index, 1)), .definition)
                }
            case .pointer:
                if step.way != .value { need(record.type, isMatched ? .name : .type) }
            case .alias, .qualifier, .typeTag: need(record.type, step.way)
            case .array:
                let way = isMatched ? Way.definition : step.way
                need(TypeID(record.fixed(0)), way)
                need(TypeID(record.fixed(1)), way)
            case .prototype:
                let way = isMatched ? Way.definition : step.way
                need(record.type, way)
                for index in 0..<record.count { need(TypeID(record.element(index, 1)), way) }
            case .function, .variable, .section, .declarationTag, .location, .locationPrototype,
                .locationSection, .unknown:
                throw RelocationFault("\(record.kind.word) [\(id)] of the kernel is not a type")
            }
        }
    }
}
