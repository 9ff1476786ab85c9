// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// Deduplication against the plainest way to say what it must find: split types by their contents,
/// then again and again by the classes of what they refer to, until nothing changes. What is left
/// together is equal to any depth, circles included.
@Suite struct DedupModelTests {
    /// Bits of hashes that count: all; two, so that most types share theirs with others; none.
    static let hashMasks: [UInt64] = [.max, 3, 0]

    @Test(arguments: 0..<60, hashMasks) func withoutBase(_ seed: Int, _ mask: UInt64) throws {
        let input = try randomTypes(seed: UInt64(seed), count: 20 + seed * 2)
        let output = try deduplicated([input], base: nil, hashMask: mask)
        let classes = classes(of: [input, output])
        #expect(Set(classes[0]) == Set(classes[1]), "seed \(seed): types were lost or made up")
        #expect(output.ownIDs.count == Set(classes[0]).count, "seed \(seed)")
    }

    /// Types come unit by unit, and a later one may bring what an earlier one had or part of it.
    @Test(arguments: 0..<60, hashMasks)
    func severalUnits(_ seed: Int, _ mask: UInt64) throws {
        let units = try (0..<4).map {
            try randomTypes(seed: UInt64(3000 + seed * 3 + $0), count: 8 + seed)
        }
        for inOneUnit in [false, true] {
            let output = try deduplicated(
                units + [units[1]], base: nil, inOneUnit: inOneUnit, hashMask: mask)
            let classes = classes(of: [output] + units)
            let expected = Set(classes[1...].joined())
            #expect(Set(classes[0]) == expected, "seed \(seed): types were lost or made up")
            #expect(output.ownIDs.count == expected.count, "seed \(seed)")
        }
    }

    @Test(arguments: 0..<60, hashMasks) func againstABase(_ seed: Int, _ mask: UInt64) throws {
        let first = try randomTypes(seed: UInt64(1000 + seed), count: 10 + seed)
        let second = try randomTypes(seed: UInt64(2000 + seed), count: 10 + seed)
        let base = try deduplicated([first], base: nil)
        let output = try deduplicated([second, first, second], base: base, hashMask: mask)
        let classes = classes(of: [base, second, output])
        let new = Set(classes[1]).subtracting(classes[0])
        // The output's classes are those of the base's types, then those of its own.
        let own = classes[2].dropFirst(base.ownIDs.count)
        #expect(Set(own) == new, "seed \(seed): types were lost, made up, or repeat the base")
        #expect(own.count == new.count, "seed \(seed)")
    }

    /// Hashes are a hint: what they say changes no byte.
    @Test(arguments: 0..<40) func hashesDecideNothing(_ seed: Int) throws {
        let base = try deduplicated(
            [randomTypes(seed: UInt64(5000 + seed), count: 30)], base: nil)
        let units = try (0..<3).map {
            try randomTypes(seed: UInt64(6000 + seed * 3 + $0), count: 20 + seed)
        }
        for base in [nil, base] {
            let good = try deduplicated(units, base: base)
            for mask in Self.hashMasks.dropFirst() {
                let bad = try deduplicated(units, base: base, hashMask: mask)
                #expect(bad.words == good.words && bad.strings == good.strings, "mask \(mask)")
            }
        }
    }

    /// The reference is worth something: it tells types apart and finds circles equal.
    @Test func theReferenceItself() throws {
        var asm = BTFAssembler()
        for _ in 0..<2 {
            let id = asm.nextID
            asm.structure("s", size: 8, [("next", id + 1, 0)])
            asm.pointer(id)
        }
        asm.structure("s", size: 8, [("next", 6, 0)])
        asm.pointer(7)
        asm.structure("s", size: 8, [("other", 6, 0)])
        let found = classes(of: [try asm.parse()])[0]
        #expect(found[0] == found[2] && found[1] == found[3])
        #expect(Set(found).count == 5)
    }

    // MARK: Making types

    /// Types with few names and sizes, so that many are equal and more are nearly so. Whatever is
    /// no struct refers to structs or to types before it: nothing contains itself otherwise.
    private func randomTypes(seed: UInt64, count: Int) throws -> BTF {
        var random = SeededRandom(seed: seed)
        var asm = BTFAssembler()
        func pick(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
        // Functions and tags are on something; nothing is on them.
        enum Sort { case composite, plain, onTop }
        let sorts: [Sort] = (0..<count).map { _ in
            switch pick(8) {
            case 0, 1, 2: .composite
            case 3: .onTop
            default: .plain
            }
        }
        func ids(_ range: Range<Int>, _ wanted: (Sort) -> Bool) -> [UInt32] {
            range.filter { wanted(sorts[$0]) }.map { UInt32($0 + 1) }
        }
        let structs = ids(0..<count) { $0 == .composite }
        let members = ids(0..<count) { $0 != .onTop }
        for index in 0..<count {
            let earlier = ids(0..<index) { $0 != .onTop }
            /// 0 when there is none.
            func sized() -> UInt32 {
                (pick(2) == 0 ? structs : earlier).randomElement(using: &random)
                    ?? earlier.last ?? structs.last ?? 0
            }
            func target() -> UInt32 { pick(5) == 0 ? 0 : sized() }
            let name = ["", "a", "b"][pick(3)]
            switch sorts[index] {
            case .composite:
                let list = (0..<pick(3)).map {
                    (
                        ["", "m", "n"][pick(3)], members.randomElement(using: &random) ?? 0,
                        UInt32($0 * 8), UInt32(pick(3))
                    )
                }
                if pick(2) == 0 {
                    asm.bitfields(name, size: UInt32(pick(2)), union: pick(4) == 0, list)
                } else {
                    asm.structure(
                        name, size: UInt32(pick(2)), union: pick(4) == 0,
                        list.map { ($0.0, $0.1, $0.2) })
                }
                continue
            case .onTop:
                if pick(2) == 0 {
                    asm.function("f", target(), linkage: [.static, .global][pick(2)])
                } else {
                    asm.declTag("d", target(), component: Int32(pick(2)) - 1)
                }
                continue
            case .plain: break
            }
            switch pick(11) {
            case 0:
                asm.int(name, size: 4, encoding: UInt32(pick(2)), bits: [8, 32][pick(2)])
            case 1: asm.wrap([.const, .volatile, .restrict][pick(3)], target())
            case 2: asm.typedef("t", target())
            case 3 where index > 0: asm.array(sized(), index: sized(), UInt32(pick(2)))
            case 4:
                asm.enumeration(
                    name, size: [1, 4][pick(2)], signed: pick(2) == 0, [("E", Int64(pick(2)))])
            case 5:
                asm.enumeration64(name, signed: pick(2) == 0, [("E", UInt64(pick(2)) << 40)])
            case 6:
                asm.prototype(
                    returns: target(), (0..<pick(3)).map { _ in (["x", "y"][pick(2)], target()) })
            case 7: asm.typeTag(["p", "q"][pick(2)], target(), flag: pick(2) == 0)
            case 8: asm.float("f", size: [4, 8][pick(2)])
            default: asm.pointer(target())
            }
        }
        return try asm.parse()
    }

    // MARK: The reference

    /// A number for each type of each BTF, those of its base first; equal types have the same.
    private func classes(of btfs: [BTF]) -> [[Int]] {
        let graphs = btfs.map { btf in (1..<btf.typeCount).map { btf.record(TypeID($0))! } }
        var colors = graphs.map { $0.map { _ in 0 } }
        var count = 1
        while true {
            var numbers: [[String]: Int] = [:]
            let next = graphs.indices.map { graph in
                graphs[graph].map { record in
                    var key = contents(record)
                    key += record.references.map { id in
                        id == .void ? "void" : String(colors[graph][Int(id.rawValue) - 1])
                    }
                    let number = numbers[key] ?? numbers.count
                    numbers[key] = number
                    return number
                }
            }
            colors = next
            if numbers.count == count { return colors }
            count = numbers.count
        }
    }

    /// All of a record but what it refers to.
    private func contents(_ record: Record) -> [String] {
        let shape = record.kind.shape
        var parts = [record.kind.word, record.name, String(record.info.rawValue)]
        if !shape.refersToType { parts.append(String(record.size)) }
        for fixed in 0..<shape.fixed where shape.fixedTypes & (1 << fixed) == 0 {
            parts.append(String(record.fixed(fixed)))
        }
        for element in 0..<record.count {
            for word in 0..<shape.element where shape.elementTypes & (1 << word) == 0 {
                parts.append(
                    word == 0 && shape.elementHasName
                        ? record.elementName(element) : String(record.element(element, word)))
            }
        }
        return parts
    }
}
