// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// A `.BTF_ids` section as it is before ids are filled in.
private struct IDSection {
    struct Symbol {
        let name: String
        let place: UInt64
        var size: UInt64
    }

    let bigEndian: Bool
    var bytes: [UInt8] = []
    var symbols: [Symbol] = []

    mutating func word(_ value: UInt32) {
        bytes += (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * (bigEndian ? 3 - $0 : $0))) }
    }

    /// A set of (function, flags).
    mutating func set(
        _ name: String, flags: UInt32 = 1, _ entries: KeyValuePairs<String, UInt32>
    ) {
        let start = bytes.count
        word(0)
        word(flags)
        for (function, flags) in entries { id("__BTF_ID__func__\(function)__1", flags) }
        symbols.append(
            Symbol(
                name: "__BTF_ID__set8__" + name, place: UInt64(start),
                size: UInt64(bytes.count - start)))
    }

    /// An id with the symbol as given.
    mutating func id(_ symbol: String, _ flags: UInt32) {
        symbols.append(Symbol(name: symbol, place: UInt64(bytes.count), size: 4))
        word(0)
        word(flags)
    }
}

/// What a set says of its size, and which functions are inside.
private struct SetSize: Sendable {
    let size: UInt64
    let functions: [String]
}

@Suite struct KernelFunctionTests {
    private static let names = ["a", "b", "c", "d__e", "__f", "g_"]

    /// Encodes functions `void *name(void *p, const int *q, int n)`.
    private func encode(
        _ flavor: DWARFFlavor = DWARFFlavor(version: 4), features: Features = .standard,
        address: UInt64? = nil, type: UInt32 = 1, target: TargetRules? = nil,
        change: (inout DWARFImage) -> Void = { _ in },
        _ build: (inout IDSection) -> Void
    ) throws -> Outcome {
        let asm = unit(flavor) { unit in
            unit.add(.pointerType, "void *", [])
            unit.add(.constType, "const int", [.type("int")])
            unit.add(.pointerType, "const int *", [.type("const int")])
            for name in Self.names {
                unit.add(.subprogram, [.name(name), .type("void *")]) { unit in
                    unit.add(.formalParameter, [.name("p"), .type("void *")])
                    unit.add(.formalParameter, [.name("q"), .type("const int *")])
                    unit.add(.formalParameter, [.name("n"), .type("int")])
                }
            }
            unit.add(.subprogram, [.name("plain"), .type("int")]) { unit in
                unit.add(.formalParameter, [.name("n"), .type("int")])
            }
        }
        var ids = IDSection(bigEndian: flavor.bigEndian)
        build(&ids)
        return try encoded(asm, features: features, target: target) { image in
            for (index, name) in (Self.names + ["plain"]).enumerated() {
                image.function(name, at: UInt64(16 * index))
            }
            if address != nil { image.type = 2 }
            let section = image.section(".BTF_ids", ids.bytes, flags: 2, address: address ?? 0)
            image.sections[section - 1].type = type
            for symbol in ids.symbols {
                image.variable(
                    symbol.name, at: symbol.place &+ (address ?? 0), size: symbol.size, in: section)
            }
            change(&image)
        }
    }

    private func tags(_ outcome: Outcome) -> [String] {
        outcome.lines.filter { $0.hasPrefix("tag ") }.map { String($0.dropFirst(4)) }.sorted()
    }

    /// A target whose BTF cannot express arenas: the ledger records them.
    @Test func unmarkedArenas() throws {
        func outcome(_ minor: Int, _ features: Features) throws -> Outcome {
            try encode(features: features, target: TargetRules(KernelVersion(6, minor))) { ids in
                ids.set("one", ["a": 1 << 13, "b": 1 << 12, "c": 1 << 15])
            }
        }
        let notes = ["a: unmarked-arena", "c: unmarked-arena"]
        #expect(try outcome(14, .standard).ledger == notes)
        #expect(try outcome(15, .standard).ledger == [])
        let marked = try outcome(15, [.standard, .attributes])
        #expect(marked.count(.typeTag) > 0)
        #expect(marked.ledger == [])
    }

    @Test(arguments: TypeTests.flavors) func tags(_ flavor: DWARFFlavor) throws {
        for address: UInt64? in [nil, 0x8000] {
            let outcome = try encode(flavor, address: address) { ids in
                ids.id("__BTF_ID__func__g___9", 0)  // in no set
                ids.set("one", ["a": 0, "b": 1 << 12, "d__e": 0, "absent": 0])
                ids.set("not_kfuncs", flags: 0, ["c": 1 << 12])
                ids.set("other_flag", flags: 2, ["c": 1 << 12])
                ids.set("two", flags: 3, ["__f": 0])
                ids.id("__BTF_ID__func__c__9", 0)  // behind the last one
            }
            #expect(
                tags(outcome) == [
                    "bpf_fastcall: func b", "bpf_kfunc: func __f", "bpf_kfunc: func a",
                    "bpf_kfunc: func b", "bpf_kfunc: func d__e",
                ])
            #expect(outcome.ledger == [])
        }
    }

    @Test func features() throws {
        func build(_ ids: inout IDSection) { ids.set("s", ["a": 1 << 12 | 1 << 13]) }
        for (features, count, tagged) in [
            (Features.standard, 2, false), ([.kernelFunctionTags], 0, false),
            ([.declTag], 0, false), ([.declTag, .attributes], 0, false),
            ([.kernelFunctionTags, .attributes], 0, true),
            ([.kernelFunctionTags, .attributes, .declTag], 2, true),
        ] {
            let outcome = try encode(features: features, build)
            #expect(outcome.count(.declTag) == count, "\(features)")
            #expect(outcome.count(.typeTag) == (tagged ? 1 : 0), "\(features)")
        }
    }

    @Test func symbolNames() throws {
        let outcome = try encode { ids in
            ids.set("s", ["g_": 0])
            ids.symbols[1].size += 6 * 8
            ids.id("__BTF_ID__func__a", 0)
            ids.id("__BTF_ID__func__b__", 0)
            ids.id("__BTF_ID__func__c_1", 0)
            ids.id("__BTF_ID__func____f__x__", 0)
            ids.id("__BTF_ID__func__", 0)
            ids.id("__BTF_ID__struct__d__e__5", 0)
        }
        #expect(tags(outcome) == ["bpf_kfunc: func b", "bpf_kfunc: func g_"])
    }

    /// Of several entries of one function the last one counts.
    @Test func repeatedEntries() throws {
        let outcome = try encode(features: [.declTag, .kernelFunctionTags, .attributes]) { ids in
            ids.set("s", ["a": 1 << 12, "b": 0])
            ids.set("t", ["a": 0, "b": 1 << 12 | 1 << 13])
        }
        #expect(
            tags(outcome)
                == ["bpf_fastcall: func b", "bpf_kfunc: func a", "bpf_kfunc: func b"])
        #expect(outcome.line("a") == "func a: (p: *void, q: *const int, n: int) -> *void")
        #expect(outcome.line("b").hasSuffix(" -> *tag(address_space(1)) void"))
    }

    /// Sizes of sets that are not what is in them.
    @Test(arguments: [
        SetSize(size: 0, functions: []), SetSize(size: 8, functions: []),
        SetSize(size: 9, functions: ["a"]), SetSize(size: 16, functions: ["a"]),
        SetSize(size: 17, functions: ["a", "b"]), SetSize(size: 1000, functions: ["a", "b"]),
        SetSize(size: .max, functions: ["a", "b"]),
        SetSize(size: .max - 3, functions: ["a", "b"]),
    ])
    fileprivate func sizes(_ set: SetSize) throws {
        let outcome = try encode { ids in
            ids.word(7)  // so that place and size can overflow
            ids.set("s", ["a": 0, "b": 0])
            ids.symbols[2].size = set.size
            ids.set("not", flags: 0, ["c": 0])
        }
        #expect(tags(outcome) == set.functions.map { "bpf_kfunc: func \($0)" })
    }

    @Test func unaligned() throws {
        let outcome = try encode(address: 0x9371) { ids in
            ids.bytes = [1, 2, 3]
            ids.set("s", ["a": 1 << 12])
        }
        #expect(tags(outcome) == ["bpf_fastcall: func a", "bpf_kfunc: func a"])
    }

    /// Symbols that extend beyond the section are reported, and the others count.
    @Test(arguments: [UInt64(17), 20, 24, 1 << 40, UInt64.max, UInt64.max - 0x8000])
    func misplacedSymbols(_ place: UInt64) throws {
        let outcome = try encode(address: 0x8000) { ids in
            ids.set("s", ["a": 0])
            ids.symbols.append(.init(name: "__BTF_ID__func__b__1", place: place, size: 4))
            ids.symbols.append(.init(name: "__BTF_ID__set8__t", place: place, size: 1000))
        }
        #expect(tags(outcome) == ["bpf_kfunc: func a"])
        #expect(
            outcome.ledger == [
                "__BTF_ID__func__b__1: misplaced-id", "__BTF_ID__set8__t: misplaced-id",
            ])
    }

    /// A section that resolve_btfids has been over: sorted by id, and the symbols stay where they
    /// were.
    private func sorted(_ ids: inout IDSection, _ entries: [(id: UInt32, flags: UInt32)]) {
        ids.word(UInt32(entries.count))
        ids.word(1)
        for (entry, name) in zip(entries, Self.names) {
            ids.symbols.append(
                .init(
                    name: "__BTF_ID__func__\(name)__1", place: UInt64(ids.bytes.count), size: 4))
            ids.word(entry.id)
            ids.word(entry.flags)
        }
        ids.symbols.append(
            .init(name: "__BTF_ID__set8__s", place: 0, size: UInt64(ids.bytes.count)))
    }

    @Test(arguments: [false, true]) func filledIn(bigEndian: Bool) throws {
        var known = BTFAssembler(bigEndian: bigEndian)
        let proto = known.prototype()
        let functions = ["c", "a", "b"].map { known.function($0, proto) }
        func build(_ ids: inout IDSection) {
            // c, a and b, where a, b and c were.
            sorted(&ids, [(functions[0], 1 << 13), (functions[1], 0), (functions[2], 1 << 12)])
        }
        let outcome = try encode(
            DWARFFlavor(version: 4, bigEndian: bigEndian),
            features: .standard.union(.attributes), address: 0x8000,
            change: { $0.section(".BTF", known.bytes()) }, build)
        #expect(
            tags(outcome) == [
                "bpf_fastcall: func b", "bpf_kfunc: func a", "bpf_kfunc: func b",
                "bpf_kfunc: func c",
            ])
        #expect(outcome.line("a") == "func a: (p: *void, q: *const int, n: int) -> *void")
        #expect(outcome.line("c").hasSuffix(" -> *tag(address_space(1)) void"))
        #expect(outcome.ledger == [])
    }

    /// Ids that lead nowhere: flags that all have are everybody's, others nobody's.
    @Test func filledInWithoutBTF() throws {
        let alike = try encode { sorted(&$0, [(7, 1 << 12 | 1), (8, 1 << 12), (9, 1 << 12 | 2)]) }
        #expect(tags(alike).count { $0.hasPrefix("bpf_fastcall") } == 3)
        #expect(alike.ledger == [])
        let mixed = try encode { sorted(&$0, [(7, 1 << 12), (8, 0), (9, 0)]) }
        #expect(tags(mixed) == ["a", "b", "c"].map { "bpf_kfunc: func \($0)" })
        #expect(mixed.ledger == ["a", "b", "c"].map { $0 + ": unknown-flags" })
    }

    /// As in a separate debug file.
    @Test func withoutData() throws {
        let outcome = try encode(type: 8) { $0.set("s", ["a": 0]) }
        #expect(tags(outcome) == [] && outcome.count(.func) == 7)
    }

    @Test func arenaPointers() throws {
        let outcome = try encode(features: .standard.union(.attributes)) { ids in
            ids.set("s", ["a": 1 << 13, "b": 1 << 14, "c": 1 << 15, "d__e": 7 << 13, "__f": 1])
        }
        #expect(
            Self.names.map { outcome.line($0) } == [
                "func a: (p: *void, q: *const int, n: int) -> *tag(address_space(1)) void",
                "func b: (p: *tag(address_space(1)) void, q: *const int, n: int) -> *void",
                "func c: (p: *void, q: *tag(address_space(1)) const int, n: int) -> *void",
                "func d__e: (p: *tag(address_space(1)) void, q: *tag(address_space(1)) const int, n: int)"
                    + " -> *tag(address_space(1)) void",
                "func __f: (p: *void, q: *const int, n: int) -> *void",
                "func g_: (p: *void, q: *const int, n: int) -> *void",
            ])
        let marks = outcome.btf.ownRecords.filter { $0.kind == .typeTag }
        #expect(marks.count == 2 && marks.allSatisfy(\.flag))
        #expect(outcome.ledger == [])
        #expect(check(outcome.btf).isSound)
    }

    @Test(arguments: [UInt32(1 << 13), 1 << 14, 1 << 15]) func noPointers(_ flag: UInt32) throws {
        let outcome = try encode(features: .standard.union(.attributes)) {
            $0.set("s", ["plain": flag])
        }
        #expect(outcome.line("plain") == "func plain: (n: int) -> int")
        #expect(outcome.ledger == ["plain: no-arena-pointer"])
        #expect(tags(outcome) == ["bpf_kfunc: func plain"])
    }
}
