// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// A struct or union of `CompiledPrototypes`.
private struct CompiledComposite {
    let name: String
    var isUnion = false
    var isPacked = false
    var alignment = 1
    /// Type and how many of it in an array; 0 is no array.
    let fields: [(type: String, count: Int)]

    static let all = [
        CompiledComposite(name: "s4", fields: [("i", 0)]),
        CompiledComposite(name: "s3", fields: [("c", 3)]),
        CompiledComposite(name: "s8", fields: [("L", 0)]),
        CompiledComposite(name: "s12", fields: [("L", 0), ("i", 0)]),
        CompiledComposite(name: "s2w", fields: [("W", 0), ("W", 0)]),
        CompiledComposite(name: "s3w", fields: [("W", 0), ("W", 0), ("W", 0)]),
        CompiledComposite(name: "s16c", fields: [("c", 16)]),
        CompiledComposite(name: "pk5", isPacked: true, fields: [("c", 0), ("i", 0)]),
        CompiledComposite(name: "pk9", isPacked: true, fields: [("c", 0), ("L", 0)]),
        CompiledComposite(name: "s9c", fields: [("c", 9)]),
        CompiledComposite(name: "s6", fields: [("h", 0), ("h", 0), ("h", 0)]),
        CompiledComposite(name: "u16", isUnion: true, fields: [("L", 0), ("c", 16)]),
        CompiledComposite(name: "u4", isUnion: true, fields: [("i", 0), ("c", 0)]),
        CompiledComposite(name: "al16", alignment: 16, fields: [("L", 0)]),
        CompiledComposite(name: "s20", fields: [("i", 5)]),
        CompiledComposite(name: "sp", fields: [("p", 0)]),
        CompiledComposite(name: "s128", fields: [("T", 0)]),
        CompiledComposite(name: "sd", fields: [("d", 0)]),
        CompiledComposite(name: "sld", fields: [("D", 0)]),
        CompiledComposite(name: "sfi", fields: [("f", 0), ("i", 0)]),
        CompiledComposite(name: "sdl", fields: [("d", 0), ("L", 0)]),
        CompiledComposite(
            name: "u300", isUnion: true, fields: Array(repeating: ("i", 0), count: 300)),
        CompiledComposite(name: "s4f", fields: [("f", 0), ("f", 0), ("f", 0), ("f", 0)]),
    ]
}

/// An ABI, and what compilers for it do.
struct CompiledABI: CustomStringConvertible, Sendable {
    let description: String
    let machine: UInt16
    var word = 8
    var isBig = false
    var flags: UInt32 = 0
    var largestAlignment = 16
    let places: String
    /// Functions whose arguments BPF programs would look for elsewhere.
    var misread: Set<Int> = []

    static let all = [
        // Packed, padded, on the stack at an odd word, behind a result in memory; vector registers.
        CompiledABI(
            description: "x86-64", machine: 62, places: CompiledPrototypes.amd64,
            misread: [16, 17, 22, 23, 28, 31, 42, 50, 51, 52, 53, 54, 56, 59]),
        // Aligned to an even register.
        CompiledABI(
            description: "arm64", machine: 183, places: CompiledPrototypes.arm64,
            misread: [23, 38, 40, 41, 48, 50, 51, 52, 53, 54, 59]),
        // Odd sizes by reference, behind a result in memory.
        CompiledABI(
            description: "s390x", machine: 22, isBig: true, largestAlignment: 8,
            places: CompiledPrototypes.s390x,
            misread: [8, 16, 19, 25, 26, 27, 28, 30, 31, 35, 36, 39, 50, 51, 53, 57, 58, 60]),
        CompiledABI(
            description: "ppc64le", machine: 21, flags: 2, places: CompiledPrototypes.ppc64le,
            misread: [23, 28, 41, 50, 51, 52, 53, 54, 59]),
        CompiledABI(
            description: "riscv64", machine: 243, flags: 5, places: CompiledPrototypes.riscv64,
            misread: [28, 50, 51, 53, 54, 55, 56, 59]),
        CompiledABI(
            description: "loong64", machine: 258, flags: 0x43, places: CompiledPrototypes.loong64,
            misread: [28, 50, 51, 53, 54, 55, 56, 59]),
        // No BPF programs at functions: what matters is that the code is as the ABI says.
        CompiledABI(
            description: "mips64el", machine: 8, flags: 0x6000_0000,
            places: CompiledPrototypes.mips64el),
        CompiledABI(
            description: "mipsel", machine: 8, word: 4, flags: 0x1000,
            places: CompiledPrototypes.mipsel),
        CompiledABI(
            description: "armhf", machine: 40, word: 4, places: CompiledPrototypes.armhf),
        CompiledABI(
            description: "i386", machine: 3, word: 4, largestAlignment: 4,
            places: CompiledPrototypes.i386),
    ]

    struct Function {
        let number: Int
        let result: String
        let parameters: [String]
        /// DWARF registers, -1 for the stack, nil for what is not told.
        var places: [Int?]
    }

    var functions: [Function] {
        var rows: [Int: [String]] = [:]
        for row in CompiledPrototypes.all.split(whereSeparator: { ";\n".contains($0) }) {
            let words = row.split(separator: " ").map { String($0) }
            rows[Int(words[0])!] = Array(words.dropFirst())
        }
        return places.split(whereSeparator: { ";\n".contains($0) }).map { row in
            let words = row.split(separator: " ").map { String($0) }
            let number = Int(words[0])!
            return Function(
                number: number, result: rows[number]![0],
                parameters: Array(rows[number]!.dropFirst()),
                places: words.dropFirst().map { $0 == "s" ? -1 : Int($0) })
        }
    }

    private func size(_ type: String) -> Int {
        switch type {
        case "c": 1
        case "h": 2
        case "i", "f": 4
        case "W", "p": word
        case "T", "D": 16
        default: 8
        }
    }

    /// A file with these functions, by name.
    func encoded(_ list: [(name: String, function: Function)]) throws -> Outcome {
        var asm = DWARFAssembler(
            DWARFFlavor(version: 5, bigEndian: isBig, addressSize: UInt8(word)))
        asm.unit([.name("a.c"), .language(12)]) { unit in
            for (type, name, encoding) in [
                ("c", "char", 6), ("h", "short int", 5), ("i", "int", 5), ("L", "long long int", 5),
                ("W", "long int", 5), ("T", "__int128", 5), ("f", "float", 4), ("d", "double", 4),
                ("D", "long double", 4),
            ] as [(String, String, UInt64)] {
                unit.add(
                    .baseType, type,
                    [.name(name), .byteSize(UInt64(size(type))), .encoding(encoding)])
            }
            unit.add(.pointerType, "p", [.byteSize(UInt64(word))])
            for composite in CompiledComposite.all { add(composite, &unit) }
            for (name, function) in list {
                unit.add(.subprogram, [.name(name), .type(function.result)]) { unit in
                    for (index, type) in function.parameters.enumerated() {
                        var attributes: [DWARFAttribute] = [.name("p\(index)"), .type(type)]
                        if let place = function.places[index] {
                            attributes.append(
                                .expression(place < 0 ? [0x91, 0] : [0x50 + UInt8(place)]))
                        }
                        unit.add(.formalParameter, attributes)
                    }
                }
            }
        }
        return try DWARFToBTFTests.encoded(
            asm, features: .standard,
            image: { image in
                image.machine = machine
                image.processorFlags = flags
                for (index, item) in list.enumerated() {
                    image.function(item.name, at: UInt64(index) * 16)
                }
            })
    }

    private func add(_ composite: CompiledComposite, _ unit: inout DWARFAssembler) {
        var (end, alignment) = (0, composite.alignment)
        var members: [[DWARFAttribute]] = []
        for (index, field) in composite.fields.enumerated() {
            let own = composite.isPacked ? 1 : min(size(field.type), largestAlignment)
            alignment = max(alignment, own)
            let offset = composite.isUnion ? 0 : (end + own - 1) / own * own
            end = max(end, offset + size(field.type) * max(field.count, 1))
            var type = field.type
            if field.count > 0 {
                type = "\(composite.name)-\(index)"
                unit.add(.arrayType, type, [.type(field.type)]) { unit in
                    unit.add(.subrangeType, [.count(UInt64(field.count))])
                }
            }
            members.append([.name("m\(index)"), .type(type), .memberOffset(UInt64(offset))])
        }
        let size = (end + alignment - 1) / alignment * alignment
        unit.add(
            composite.isUnion ? .unionType : .structureType, composite.name,
            [.name(composite.name), .byteSize(UInt64(size))]
        ) { unit in
            for member in members { unit.add(.member, member) }
        }
    }
}

@Suite struct CallingConventionTests {
    /// Functions are kept when the code is as the ABI says, and BPF programs read what was passed.
    @Test(arguments: CompiledABI.all) func compilersPlaces(_ abi: CompiledABI) throws {
        let functions = abi.functions
        #expect(functions.count >= 40)
        let outcome = try abi.encoded(functions.map { ("f\($0.number)", $0) })
        var wrong: [String] = []
        for function in functions {
            let name = "f\(function.number)"
            let isKept = outcome.line(name) != ""
            if isKept == abi.misread.contains(function.number) { wrong.append(name) }
            #expect(isKept != outcome.ledger.contains("\(name): unexpected-register"))
        }
        #expect(wrong == [])
    }

    /// A parameter in another register than the ABI's: the compiler changed the function.
    @Test(arguments: CompiledABI.all) func movedParameters(_ abi: CompiledABI) throws {
        var list: [(name: String, function: CompiledABI.Function)] = []
        for function in abi.functions {
            for (index, place) in function.places.enumerated() where place ?? -1 >= 0 {
                var moved = function
                moved.places[index] = place! + 1
                list.append(("f\(function.number)_\(index)", moved))
            }
        }
        #expect(list.count >= 45)
        let outcome = try abi.encoded(list)
        // Kernels run no programs at functions with large structs by value.
        if !abi.misread.isEmpty { list.removeAll { $0.name == "f14_1" || $0.name == "f24_1" } }
        // Options decide where i386 returns these.
        list.removeAll { abi.description == "i386" && $0.name.contains(/^f2[567]_/) }
        let kept = list.map(\.name).filter { outcome.line($0) != "" }
        #expect(kept == [])
    }

    /// On s390x every struct is returned in memory, whose address is in the first register, however
    /// many members it has.
    @Test func resultOfManyMembers() throws {
        let abi = try #require(CompiledABI.all.first { $0.description == "s390x" })
        let function = CompiledABI.Function(
            number: 1, result: "u300", parameters: ["p", "i"], places: [3, 4])
        let outcome = try abi.encoded([("f", function)])
        #expect(outcome.line("f") == "")
        #expect(outcome.ledger == ["f: unexpected-register"])
    }

    /// Machines without a model keep every function.
    @Test func unknownMachine() throws {
        let function = CompiledABI.Function(
            number: 1, result: "i", parameters: ["i", "i"], places: [7, 3])
        let abi = CompiledABI(description: "sparc64", machine: 43, isBig: true, places: "")
        #expect(try abi.encoded([("f", function)]).line("f") != "")
    }

    /// Clang says that it changed a function, and what it passes shows how, or not.
    @Test(
        arguments: [
            ([.expression([0x55])], [], "optimized-parameter"),
            ([.expression([0x55])], [.value(7)], "optimized-parameter"),
            ([.expression([0x55])], [.expression([0x54])], "changed-signature"),
            ([.expression([0x54])], [.expression([0x51])], "unexpected-register"),
        ] as [([DWARFAttribute], [DWARFAttribute], String)])
    func changed(_ first: [DWARFAttribute], _ second: [DWARFAttribute], _ reason: String) throws {
        for (isMarked, inOrigin) in [(true, false), (true, true), (false, false)] {
            var asm = DWARFAssembler()
            let mark = DWARFAttribute(.callingConvention, .data1, .number(3))
            asm.unit([.name("a.c"), .language(12)]) { unit in
                unit.add(.baseType, "int", [.name("int"), .byteSize(4), .encoding(5)])
                unit.add(
                    .subprogram, "f",
                    [.name("f"), .type("int")] + (isMarked ? [mark] : [])
                        + (inOrigin ? [] : [.lowPC(0)])
                ) { unit in
                    let own = inOrigin ? ([], []) : (first, second)
                    unit.add(.formalParameter, "a", [.name("a"), .type("int")] + own.0)
                    unit.add(.formalParameter, "b", [.name("b"), .type("int")] + own.1)
                }
                if inOrigin {
                    unit.add(.subprogram, [.origin("f"), .lowPC(0)]) { unit in
                        unit.add(.formalParameter, [.origin("a")] + first)
                        unit.add(.formalParameter, [.origin("b")] + second)
                    }
                }
            }
            let outcome = try encoded(
                asm, features: .standard, image: { $0.function("f", at: 0) })
            let isUnmarkedButMoved = reason == "unexpected-register"
            if isMarked || isUnmarkedButMoved {
                #expect(outcome.line("f") == "")
                #expect(outcome.ledger == ["f: \(reason)"])
            } else {
                #expect(outcome.line("f") != "")
            }
        }
    }
}
