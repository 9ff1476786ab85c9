// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// One broken file and the finding that it must give.
struct BrokenFile: CustomTestStringConvertible, Sendable {
    let rule: String
    let words: String
    /// The type at fault.
    let type: UInt32
    let build: @Sendable (inout BTFAssembler) -> Void

    init(
        _ rule: String, _ words: String, _ type: UInt32,
        _ build: @escaping @Sendable (inout BTFAssembler) -> Void
    ) {
        self.rule = rule
        self.words = words
        self.type = type
        self.build = build
    }

    var testDescription: String { rule + " " + words }

    /// Type 1 of each is `int`.
    static let all: [BrokenFile] = [
        BrokenFile("M1", "vlen != 0", 2) { $0.record(.int, "i", third: 4, vlen: 1, [32]) },
        BrokenFile("M1", "Invalid btf_info kind_flag", 2) {
            $0.record(.int, "i", third: 4, flag: true, [32])
        },
        BrokenFile("M1", "Invalid int_data", 2) {
            $0.record(.int, "i", third: 4, [1 << 28 | 32])
        },
        BrokenFile("M1", "nr_bits exceeds 128", 2) {
            $0.int("i", size: 32, offset: 100, bits: 100)
        },
        BrokenFile("M1", "nr_bits exceeds type_size", 2) { $0.int("i", size: 1, bits: 9) },
        BrokenFile("M1", "Unsupported encoding", 2) { $0.int("i", encoding: 3) },
        BrokenFile("M2", "does not exist", 2) { $0.pointer(9) },
        BrokenFile("M2", "Invalid name", 2) { $0.wrap(.const, 1, named: "name") },
        BrokenFile("M2", "vlen != 0", 2) { $0.record(.volatile, third: 1, vlen: 1) },
        BrokenFile("M2", "kind_flag", 2) { $0.record(.restrict, third: 1, flag: true) },
        BrokenFile("M3", "Invalid name", 2) { $0.typedef("", 1) },
        BrokenFile("M3", "Invalid name", 2) { $0.typedef("1t", 1) },
        BrokenFile("M3", "Invalid name", 2) { $0.typedef("a b", 1) },
        BrokenFile("M3", "does not exist", 2) { $0.typedef("t", 77) },
        BrokenFile("M4", "Invalid name", 2) { $0.typeTag("", 1) },
        BrokenFile("M5", "Invalid name", 2) { $0.record(.array, "a", [1, 1, 1]) },
        BrokenFile("M5", "size != 0", 2) { $0.record(.array, "", third: 4, [1, 1, 1]) },
        BrokenFile("M5", "Invalid elem: 0 is void", 2) { $0.array(0, index: 1, 1) },
        BrokenFile("M5", "Invalid elem: 9 does not exist", 2) { $0.array(9, index: 1, 1) },
        BrokenFile("M5", "Invalid index", 2) { $0.array(1, index: 0, 1) },
        BrokenFile("R6", "Invalid index", 3) {
            let p = $0.pointer(1)
            $0.array(1, index: p, 1)
        },
        BrokenFile("R7", "has no size", 3) {
            let f = $0.forward("f")
            $0.array(f, index: 1, 1)
        },
        BrokenFile("R8", "Invalid array of int", 3) {
            let odd = $0.int("odd", bits: 7)
            $0.array(odd, index: 1, 1)
        },
        BrokenFile("R9", "overflows", 2) { $0.array(1, index: 1, 0x4000_0000) },
        BrokenFile("M6", "Invalid name", 2) { $0.structure("a b", size: 0, []) },
        BrokenFile("M6", "member 1 a b: Invalid name", 2) {
            $0.structure("s", size: 4, [("a b", 1, 0)])
        },
        BrokenFile("M6", "0 is void", 2) { $0.structure("s", size: 4, [("a", 0, 0)]) },
        BrokenFile("M6", "99 does not exist", 2) { $0.structure("s", size: 4, [("a", 99, 0)]) },
        BrokenFile("M6", "in a union", 2) {
            $0.structure("u", size: 8, union: true, [("a", 1, 32)])
        },
        BrokenFile("M6", "Invalid member bits_offset: 0 after 32", 2) {
            $0.structure("s", size: 8, [("a", 1, 32), ("b", 1, 0)])
        },
        BrokenFile("M6", "exceeds its struct size", 2) {
            $0.structure("s", size: 4, [("a", 1, 64)])
        },
        BrokenFile("R10", "has no size", 3) {
            let forward = $0.forward("f")
            $0.structure("s", size: 4, [("a", forward, 0)])
        },
        BrokenFile("R11", "exceeds struct_size", 2) { $0.structure("s", size: 6, [("a", 1, 32)]) },
        BrokenFile("R12", "bitfield_size: 33 bits of 32", 2) {
            $0.bitfields("s", size: 8, [("a", 1, 0, 33)])
        },
        BrokenFile("R12", "exceeds struct_size", 2) {
            $0.bitfields("s", size: 4, [("a", 1, 20, 20)])
        },
        BrokenFile("R13", "not byte aligned", 3) {
            let pointer = $0.pointer(1)
            $0.structure("s", size: 16, [("a", pointer, 3)])
        },
        BrokenFile("R13", "exceeds struct_size", 3) {
            let pointer = $0.pointer(1)
            $0.structure("s", size: 8, [("a", pointer, 32)])
        },
        BrokenFile("R14", "bitfield_size", 3) {
            let value = $0.enumeration("e", [("E", 1)])
            $0.bitfields("s", size: 8, [("a", value, 0, 40)])
        },
        BrokenFile("R15", "bitfield_size", 3) {
            let pointer = $0.pointer(1)
            $0.bitfields("s", size: 8, [("a", pointer, 0, 8)])
        },
        BrokenFile("M7", "Unexpected size", 2) { $0.enumeration("e", size: 3, [("E", 1)]) },
        BrokenFile("M7", "Invalid name", 2) { $0.enumeration("e", [("", 1)]) },
        BrokenFile("M7", "Invalid name", 2) { $0.enumeration64("e-", [("E", 1)]) },
        BrokenFile("M8", "type != 0", 2) { $0.record(.fwd, "f", third: 1) },
        BrokenFile("M8", "Invalid name", 2) { $0.forward("") },
        BrokenFile("M9", "Invalid func linkage", 3) {
            let proto = $0.prototype()
            $0.record(.func, "f", third: proto, vlen: 3)
        },
        BrokenFile("M9", "Invalid name", 3) {
            let proto = $0.prototype()
            $0.function("", proto)
        },
        BrokenFile("R19", "is a INT", 2) { $0.function("f", 1) },
        BrokenFile("R19", "does not exist", 2) { $0.function("f", 9) },
        BrokenFile("M10", "Invalid name", 2) { $0.record(.funcProto, "p") },
        BrokenFile("M10", "kind_flag", 2) { $0.record(.funcProto, flag: true) },
        BrokenFile("R20", "does not exist", 2) { $0.prototype(returns: 9) },
        BrokenFile("R20", "has no size", 3) {
            let forward = $0.forward("f")
            $0.prototype(returns: forward)
        },
        BrokenFile("R21", "Invalid arg#1: void", 2) { $0.prototype([("", 0), ("a", 1)]) },
        BrokenFile("R21", "Invalid arg#1: void", 2) { $0.prototype([("a", 0)]) },
        BrokenFile("R21", "Invalid arg#1: name", 2) { $0.prototype([("a b", 1)]) },
        BrokenFile("R21", "Invalid arg#1: 9 does not exist", 2) { $0.prototype([("a", 9)]) },
        BrokenFile("M11", "Invalid name", 2) { $0.variable("", 1) },
        BrokenFile("M11", "0 is void", 2) { $0.variable("v", 0) },
        BrokenFile("M11", "Linkage not supported", 2) { $0.record(.var, "v", third: 1, [3]) },
        BrokenFile("R5", "has no size", 3) {
            let f = $0.forward("f")
            $0.variable("v", f)
        },
        BrokenFile("M12", "Invalid name", 2) { $0.section("", size: 4, []) },
        BrokenFile("M12", "Invalid offset: 0", 4) {
            let v = $0.variable("v", 1)
            let w = $0.variable("w", 1)
            $0.section(".data", size: 8, [(v, 0, 4), (w, 0, 4)])
        },
        BrokenFile("M12", "Invalid size: 0", 3) {
            let v = $0.variable("v", 1)
            $0.section(".data", size: 8, [(v, 0, 0)])
        },
        BrokenFile("M12", "Invalid offset+size", 3) {
            let v = $0.variable("v", 1)
            $0.section(".data", size: 8, [(v, 6, 4)])
        },
        BrokenFile("M12", "does not exist", 2) { $0.section(".data", size: 8, [(9, 0, 4)]) },
        BrokenFile("R22", "Not a VAR kind member", 2) { $0.section(".data", size: 8, [(1, 0, 4)]) },
        BrokenFile("R22", "Invalid size: 2", 3) {
            let v = $0.variable("v", 1)
            $0.section(".data", size: 8, [(v, 0, 2)])
        },
        BrokenFile("M13", "Invalid type_size", 2) { $0.float("f", size: 3) },
        BrokenFile("M14", "Invalid value", 3) {
            let t = $0.typedef("t", 1)
            $0.declTag("", t)
        },
        BrokenFile("M14", "Invalid component_idx", 3) {
            let t = $0.typedef("t", 1)
            $0.declTag("x", t, component: -2)
        },
        BrokenFile("R23", "is a INT", 2) { $0.declTag("x", 1) },
        BrokenFile("R23", "Invalid component_idx: 1", 3) {
            let s = $0.structure("s", size: 4, [("a", 1, 0)])
            $0.declTag("x", s, component: 1)
        },
        BrokenFile("R23", "Invalid component_idx: 0", 3) {
            let t = $0.typedef("t", 1)
            $0.declTag("x", t, component: 0)
        },
        BrokenFile("M15", "Invalid name", 2) {
            $0.record(.locParam, "x", third: 8, vlen: 1, [0x8, 1])
        },
        BrokenFile("M15", "Unexpected size: 0", 2) { $0.location(0x8, size: 0, [1]) },
        BrokenFile("M15", "Unexpected size: 17", 2) { $0.location(0x8, size: 17, [1]) },
        BrokenFile("M15", "kind_flag", 2) {
            $0.record(.locParam, third: 8, vlen: 1, flag: true, [0x8, 1])
        },
        BrokenFile("M15", "Invalid flags: 0x40", 2) { $0.location(0x40, [1]) },
        BrokenFile("M15", "Invalid flags: 0x9", 2) { $0.location(0x9, [1]) },
        BrokenFile("M15", "Invalid flags: 0x19", 2) { $0.location(0x19, [1]) },
        BrokenFile("M15", "Invalid flags: 0xa", 2) { $0.location(0xa, [1]) },
        BrokenFile("M15", "Invalid vlen: 0", 2) { $0.location(0x8, []) },
        BrokenFile("M15", "Invalid vlen: 3", 2) { $0.location(0x8, [1, 2, 3]) },
        BrokenFile("M15", "Invalid vlen: 2", 2) { $0.location(0x18, [1, 2]) },
        BrokenFile("M15", "Invalid vlen: 1", 2) { $0.location(0x38, [1]) },
        BrokenFile("M15", "Invalid vlen: 1", 2) { $0.location(0x2, size: 8, [1]) },
        BrokenFile("M15", "Invalid vlen: 2", 2) { $0.location(0x2, size: 16, [1, 2]) },
        BrokenFile("M16", "Invalid name", 2) { $0.record(.locProto, "x") },
        BrokenFile("R25", "Invalid loc_proto type: 1", 2) { $0.record(.locProto, third: 1) },
        BrokenFile("R25", "Invalid loc_param#2: 1 is a INT", 3) {
            let place = $0.location(0x8, [1])
            $0.locations([place, 1])
        },
        BrokenFile("R25", "Invalid loc_param#1: 9 does not exist", 2) { $0.locations([9]) },
        BrokenFile("M17", "Invalid name", 2) { $0.sites("", []) },
        BrokenFile("M17", "Invalid func: 0 is void", 3) {
            let places = $0.locations([])
            $0.sites("inline.text", [(0, places, 0)])
        },
        BrokenFile("M17", "Invalid loc_proto: 0 is void", 4) {
            let function = $0.function("f", $0.prototype())
            $0.sites("inline.text", [(function, 0, 0)])
        },
        BrokenFile("R26", "Invalid locsec type: 1", 2) {
            $0.record(.locsec, "inline.text", third: 1)
        },
        BrokenFile("R26", "Invalid func#1: 1 is a INT", 3) {
            let places = $0.locations([])
            $0.sites("inline.text", [(1, places, 0)])
        },
        BrokenFile("R26", "Invalid loc_proto#1: 1 is a INT", 4) {
            let function = $0.function("f", $0.prototype())
            $0.sites("inline.text", [(function, 1, 0)])
        },
        BrokenFile("R26", "Mismatched vlen for loc_proto#1: 0 places of 1 parameters", 5) {
            let function = $0.function("f", $0.prototype([("a", 1)]))
            let places = $0.locations([])
            $0.sites("inline.text", [(function, places, 0)])
        },
        BrokenFile("R4", "is a LOCSEC", 3) {
            let sites = $0.sites("inline.text", [])
            $0.pointer(sites)
        },
        BrokenFile("R3", "is a VAR", 3) {
            let v = $0.variable("v", 1)
            $0.wrap(.const, v)
        },
        BrokenFile("R4", "is a DATASEC", 3) {
            let section = $0.section(".x", size: 4, [])
            $0.pointer(section)
        },
        BrokenFile("C1", "a cycle", 2) {
            $0.wrap(.const, 3)
            $0.wrap(.volatile, 2)
        },
        BrokenFile("C1", "33 modifiers in a row", 34) {
            for id: UInt32 in 1...33 { $0.wrap(id % 2 == 0 ? .const : .volatile, id) }
        },
        BrokenFile("R2", "contains itself", 2) { $0.structure("s", size: 4, [("s", 2, 0)]) },
        BrokenFile("R2", "contains itself", 3) {
            $0.structure("s", size: 4, [("a", 3, 0)])
            $0.array(2, index: 1, 1)
        },
        BrokenFile("R2", "pointers only to themselves", 2) { $0.pointer(2) },
        BrokenFile("R2", "pointers only to themselves", 3) {
            $0.pointer(3)
            $0.typedef("t", 2)
        },
    ]
}

@Suite struct CheckTests {
    @Test(arguments: BrokenFile.all) func brokenRule(_ file: BrokenFile) throws {
        for bigEndian in [false, true] {
            var asm = BTFAssembler(bigEndian: bigEndian)
            asm.int()
            file.build(&asm)
            let bytes = asm.bytes()
            let report = check(ByteView(bytes))
            #expect(!report.isSound)
            let found = report.findings.filter {
                $0.severity == .error && $0.rule == file.rule && $0.type?.rawValue == file.type
                    && $0.message.contains(file.words)
            }
            #expect(!found.isEmpty, "\(report.findings)")
            #expect(found.allSatisfy { (24..<bytes.count).contains($0.offset) })
        }
    }

    @Test func soundFileHasNoFindings() throws {
        var asm = BTFAssembler(headerLength: 32)
        let int = asm.int()
        let pointer = asm.pointer(0)
        let chain = (1...32).reduce(int) { id, _ in asm.wrap(.const, id) }
        let array = asm.array(chain, index: int, 0)
        let node = asm.structure(
            "node", size: 24,
            [("p", asm.nextID + 1, 0), ("x", pointer, 64), ("end", array, 128), ("", int, 160)])
        asm.pointer(node)
        asm.bitfields("bits", size: 4, [("a", int, 0, 3), ("", int, 3, 29)])
        asm.enumeration("", [("E", -1)])
        asm.enumeration64("wide", [("W", .max)])
        asm.forward("f")
        let proto = asm.prototype(returns: int, [("a", pointer), ("", 0)])
        let function = asm.function("f.isra.0", proto, linkage: .global)
        let variable = asm.variable("v", int, linkage: .static)
        asm.section(".data..percpu", size: 16, [(variable, 8, 4)])
        asm.float("double", size: 8)
        asm.declTag("bpf_kfunc", function)
        asm.declTag("x", function, component: 1)
        asm.typeTag("rcu", int, flag: true)
        let report = check(ByteView(asm.bytes()))
        #expect(report.findings.isEmpty, "\(report.findings)")
    }

    /// Any byte at any place of a name, and names of any length.
    @Test func namesOfTypes() throws {
        let name = "identifier_of_24_letters"
        var asm = BTFAssembler()
        asm.structure(name, size: 0, [])
        let bytes = asm.bytes()
        let start = bytes.count - 1 - name.utf8.count
        for place in 0..<name.utf8.count {
            for byte in UInt8.min...UInt8.max {
                var changed = bytes
                changed[start + place] = byte
                let fits =
                    switch byte {
                    case 0, UInt8(ascii: "0")...UInt8(ascii: "9"): place > 0
                    case UInt8(ascii: "_"), UInt8(ascii: "."): true
                    case UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                    case UInt8(ascii: "a")...UInt8(ascii: "z"): true
                    // The signs of multiplication and division in Latin-1.
                    case 0xd7, 0xf7: false
                    default: byte >= 0xc0
                    }
                #expect(check(ByteView(changed)).isSound == fits, "\(byte) at \(place)")
            }
        }
        for length in [1, 7, 8, 9, 511, 512, 513, 520, 521, 5000] {
            var asm = BTFAssembler()
            asm.structure(String(repeating: "x", count: length), size: 0, [])
            #expect(check(ByteView(asm.bytes())).isSound == (length <= 512), "\(length)")
        }
    }

    @Test func warningsDoNotMakeItUnsound() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let proto = asm.prototype([("", int)])
        asm.function("f", proto, linkage: .extern)
        asm.variable("v", int, linkage: .extern)
        asm.section(".ksyms", size: 0, [(4, 0, 0)])
        let report = check(ByteView(asm.bytes()))
        #expect(report.isSound)
        #expect(report.findings.map(\.rule) == ["M9", "R19", "M11", "M12"])
    }

    /// libbpf fills places and sizes of sections in, not those of variables. What is declared only
    /// has none yet.
    @Test(arguments: [CheckProfile.structure, .object], [UInt32(0), 16])
    func variablesWithoutSize(profile: CheckProfile, size: UInt32) throws {
        for linkage in [Linkage.global, .static, .extern] {
            var asm = BTFAssembler()
            let int = asm.int()
            let first = asm.variable("first", int)
            let zero = asm.variable("zero", asm.array(int, index: int, 0), linkage: linkage)
            let section = asm.section(".data", size: size, [(first, 0, 4), (zero, 0, 0)])
            let report = check(ByteView(asm.bytes()), profile: profile)
            #expect(report.isSound == (linkage == .extern), "\(report.findings)")
            if linkage == .extern { continue }
            let finding = try #require(
                report.findings.first { $0.message.contains("has no size") })
            #expect(finding.rule == "M12" && finding.type == TypeID(section))
            #expect(finding.message.contains("entry 2: Invalid size: 0: variable 'zero' (int [0])"))
        }
    }

    @Test func findingsSayWhereAndWhat() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        asm.structure("s", size: 4, [("a", int, 0), ("b", 77, 0)])
        let report = check(ByteView(asm.bytes()))
        #expect(
            report.findings.map(\.description) == [
                "+0x44: [2] error M6: STRUCT s: member 2 b: Invalid type_id: 77 does not exist"
            ])
    }

    @Test func sections() throws {
        var asm = BTFAssembler()
        asm.int()
        let bytes = asm.bytes()
        #expect(check(ByteView(bytes + [0])).findings.map(\.rule) == ["S5"])
        #expect(check(ByteView(Array(bytes.dropLast()))).findings.map(\.rule) == ["H"])
        #expect(check(ByteView([])).findings.map(\.rule) == ["H"])
        // Four bytes between types and strings.
        var gap = bytes
        gap[16] += 4
        gap.insert(contentsOf: [0, 0, 0, 0], at: bytes.count - asm.stringSection.count)
        #expect(check(ByteView(gap)).findings.map(\.rule) == ["S2"])
        asm.headerLength = 32
        asm.layout = [0, 0, 0, 0, 4, 0, 0, 0]
        // "int" and two NULs are five bytes: the layout after them is not aligned.
        #expect(check(ByteView(asm.bytes())).findings.map(\.rule) == ["L"])
    }

    /// Without a `long`, the file says how long a pointer is; with one, that does.
    @Test func pointerSize() throws {
        var asm = BTFAssembler()
        asm.int()
        let pointer = asm.pointer(1)
        asm.structure("s", size: 8, [("x", 1, 0), ("p", pointer, 32)])
        let bytes = ByteView(asm.bytes())
        #expect(check(bytes).findings.first?.rule == "R13")
        #expect(check(bytes, filePointerSize: 8).findings.first?.rule == "R13")
        #expect(check(bytes, filePointerSize: 4).isSound)
        let base = try BTF.parse(bytes, filePointerSize: 4)
        #expect(base.pointerSize == 4)
        var own = BTFAssembler(base: base)
        own.int("long", size: 8)
        #expect(try BTF.parse(ByteView(own.bytes()), base: base).pointerSize == 8)
        #expect(try BTF.parse(bytes).pointerSize == 8)
    }

    @Test func huskHasNoTypes() throws {
        #expect(check(ByteView(BTFAssembler().bytes())).findings.map(\.rule) == ["N"])
        // Split BTF need not add to its base.
        var asm = BTFAssembler()
        asm.pointer(0)
        let base = try asm.parse()
        #expect(check(ByteView(BTFAssembler(base: base).bytes()), base: base).findings.isEmpty)
        #expect(check(try BTFAssembler(base: base).parse()).findings.isEmpty)
    }

    @Test func limitedListCountsAll() throws {
        var asm = BTFAssembler()
        for _ in 0..<50 { asm.pointer(1000) }
        let report = check(ByteView(asm.bytes()), limit: 10)
        #expect(report.findings.count == 10 && report.errorCount == 50 && report.omitted == 40)
    }

    @Test func onlyOwnTypesOfSplitAreChecked() throws {
        var asm = BTFAssembler()
        asm.pointer(9)
        let base = try asm.parse()
        var split = BTFAssembler(base: base)
        split.pointer(1)
        #expect(check(ByteView(split.bytes()), base: base).findings.isEmpty)
    }

    /// However many warnings precede it, an error is found and listed.
    @Test(arguments: [0, 1, 20, 1000]) func errorsBeforeWarnings(_ limit: Int) throws {
        var btf = BTFAssembler()
        let int = btf.int("int")
        for index in 0..<100 {
            let prototype = btf.prototype(returns: int, [("", int)])
            btf.function("f\(index)", prototype)
        }
        btf.typedef("a b", int)
        let report = check(ByteView(btf.bytes()), limit: limit)
        #expect(report.warningCount >= 100 && report.errorCount == 1)
        #expect(report.firstError?.rule == "M3" && report.firstError == report.refusedAtLoad)
        #expect(report.findings.count == min(limit, report.warningCount + 1))
        #expect(limit == 0 || report.findings.last == report.firstError)
    }
}
