// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// Files that no compiler makes: readers may refuse them, but must come to an end.
@Suite struct DumpHostileTests {
    /// Runs everything that reads types; says whether C was possible.
    @discardableResult
    private func readAll(_ asm: BTFAssembler) throws -> Bool {
        var isC = false
        #expect(try processorSeconds { isC = try readEach(asm) } < 120)
        return isC
    }

    private func readEach(_ asm: BTFAssembler) throws -> Bool {
        let btf = try asm.parse()
        _ = try text(btf, .raw)
        _ = try text(btf, .json)
        _ = check(btf)
        #expect(compare(btf, btf).isEqual)
        _ = repeats(in: btf)
        _ = try? text(btf, .c, nil, COptions(order: .sorted))
        return (try? text(btf, .c, nil, COptions(order: .byID))) != nil
    }

    @Test func danglingIDs() throws {
        var asm = BTFAssembler()
        for kind in Kind.allCases {
            let words = kind.shape.words(vlen: kind == .func ? 0 : 1) - 3
            asm.record(
                kind, "n", third: 0xffff_fff0, vlen: kind.shape.element > 0 ? 1 : 0,
                Array(repeating: 0xffff_fff1, count: words).enumerated().map { index, word in
                    kind.shape.elementHasName && index == 0 ? asm.string("m") : word
                })
        }
        #expect(try !readAll(asm))
    }

    @Test(arguments: [Kind.ptr, .const, .typedef, .typeTag]) func selfReference(_ kind: Kind) throws
    {
        var asm = BTFAssembler()
        asm.wrap(kind, 1, named: kind == .typedef ? "t" : "")
        #expect(try !readAll(asm))
    }

    @Test func loopsOfManyTypes() throws {
        for kind in [Kind.ptr, .const, .array, .funcProto, .struct] {
            var asm = BTFAssembler()
            for id: UInt32 in 1...1000 {
                let next = id == 1000 ? 1 : id + 1
                switch kind {
                case .array: asm.array(next, index: next, 2)
                case .funcProto: asm.prototype(returns: next, [("a", next)])
                case .struct: asm.structure(size: 4, [("a", next, 0)])
                default: asm.wrap(kind, next)
                }
            }
            #expect(try !readAll(asm), "\(kind)")
        }
    }

    @Test func deepNesting() throws {
        for kind in [Kind.ptr, .const, .array, .funcProto, .struct, .typedef] {
            var asm = BTFAssembler()
            var last = asm.int()
            for _ in 0..<10_000 {
                switch kind {
                case .array: last = asm.array(last, index: 1, 1)
                case .funcProto: last = asm.pointer(asm.prototype(returns: last))
                case .struct: last = asm.structure(size: 4, [("a", last, 0)])
                case .typedef: last = asm.typedef("t", last)
                default: last = asm.wrap(kind, last)
                }
            }
            asm.structure("top", size: 8, [("deep", last, 0)])
            try readAll(asm)
        }
    }

    /// Each type holds the one before twice: 2^60 when written out.
    @Test func doublings() throws {
        var structs = BTFAssembler()
        var last = structs.int()
        for _ in 0..<60 {
            last = structs.structure(size: 4, union: true, [("a", last, 0), ("b", last, 0)])
        }
        structs.typedef("t", last)
        #expect(try !readAll(structs))

        var functions = BTFAssembler()
        last = functions.int()
        for _ in 0..<60 {
            last = functions.pointer(
                functions.prototype(returns: last, [("a", last), ("b", last)]))
        }
        functions.typedef("t", last)
        #expect(try !readAll(functions))
    }

    @Test func paddingWithoutEnd() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        asm.structure("s", size: .max, [("a", int, 0), ("b", int, 0xffff_ffe0)])
        #expect(try !readAll(asm))
    }

    @Test func hugeArrays() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let one = asm.array(int, index: int, .max)
        let two = asm.array(one, index: int, .max)
        asm.structure("s", size: 4, [("a", two, 0)])
        try readAll(asm)
    }

    @Test func oneLongNameForMany() throws {
        var asm = BTFAssembler()
        let name = String(repeating: "x", count: 1 << 18)
        for _ in 0..<2000 { asm.float(name, size: 4) }
        try readAll(asm)
    }

    @Test(arguments: 0..<300) func randomRecords(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var asm = BTFAssembler(bigEndian: seed % 2 == 1)
        let names = (0..<6).map { asm.string("n\($0)") } + [0]
        let count = UInt32.random(in: 1...40, using: &random)
        for _ in 0..<count {
            let kind = Kind.allCases.randomElement(using: &random)!
            let shape = kind.shape
            let vlen =
                shape.element > 0 || kind == .func ? Int.random(in: 0...4, using: &random) : 0
            let info = TypeInfo(kind, vlen: vlen, flag: Bool.random(using: &random))
            var words = [names.randomElement(using: &random)!, info.rawValue]
            words.append(UInt32.random(in: 0...count + 1, using: &random))
            for _ in 0..<shape.fixed { words.append(.random(in: 0...count + 1, using: &random)) }
            for _ in 0..<(kind == .func ? 0 : vlen) {
                for word in 0..<shape.element {
                    words.append(
                        word == 0 && shape.elementHasName
                            ? names.randomElement(using: &random)!
                            : .random(in: 0...count + 1, using: &random))
                }
            }
            asm.raw(words)
        }
        try readAll(asm)
    }
}
