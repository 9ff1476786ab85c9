// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// One kind, how it is built, and its last record in each format without a file around it.
struct DumpCase: CustomTestStringConvertible, Sendable {
    let kind: Kind
    let raw: String
    let json: String
    let build: @Sendable (inout BTFAssembler) -> Void

    init(
        _ kind: Kind, raw: String, json: String,
        _ build: @escaping @Sendable (inout BTFAssembler) -> Void
    ) {
        self.kind = kind
        self.raw = raw
        self.json = json
        self.build = build
    }

    var testDescription: String { String(raw.prefix { $0 != "\n" }) }

    static let all = ordinary + locations

    private static let ordinary: [DumpCase] = [
        DumpCase(
            .int, raw: "[1] INT 'char' size=1 bits_offset=0 nr_bits=8 encoding=SIGNED",
            json:
                #"{"id":1,"kind":"INT","name":"char","size":1,"bits_offset":0,"nr_bits":8,"encoding":"SIGNED"}"#
        ) { $0.int("char", size: 1) },
        DumpCase(
            .int, raw: "[1] INT '_Bool' size=1 bits_offset=2 nr_bits=5 encoding=BOOL",
            json:
                #"{"id":1,"kind":"INT","name":"_Bool","size":1,"bits_offset":2,"nr_bits":5,"encoding":"BOOL"}"#
        ) { $0.int("_Bool", size: 1, encoding: IntEncoding.bool, offset: 2, bits: 5) },
        DumpCase(
            .int, raw: "[1] INT 'odd' size=4 bits_offset=0 nr_bits=32 encoding=UNKN",
            json:
                #"{"id":1,"kind":"INT","name":"odd","size":4,"bits_offset":0,"nr_bits":32,"encoding":"UNKN"}"#
        ) { $0.int("odd", encoding: 3) },
        DumpCase(
            .ptr, raw: "[1] PTR '(anon)' type_id=0",
            json: #"{"id":1,"kind":"PTR","name":"(anon)","type_id":0}"#
        ) { $0.pointer(0) },
        DumpCase(
            .array, raw: "[2] ARRAY '(anon)' type_id=1 index_type_id=1 nr_elems=7",
            json:
                #"{"id":2,"kind":"ARRAY","name":"(anon)","type_id":1,"index_type_id":1,"nr_elems":7}"#
        ) {
            let int = $0.int()
            $0.array(int, index: int, 7)
        },
        DumpCase(
            .struct,
            raw: """
                [2] STRUCT 's' size=8 vlen=2
                \t'a' type_id=1 bits_offset=0 bitfield_size=3
                \t'(anon)' type_id=1 bits_offset=32
                """,
            json:
                #"{"id":2,"kind":"STRUCT","name":"s","size":8,"vlen":2,"members":[{"name":"a","type_id":1,"bits_offset":0,"bitfield_size":3},{"name":"(anon)","type_id":1,"bits_offset":32}]}"#
        ) {
            let int = $0.int()
            $0.bitfields("s", size: 8, [("a", int, 0, 3), ("", int, 32, 0)])
        },
        DumpCase(
            .union,
            raw: """
                [2] UNION '(anon)' size=4 vlen=1
                \t'a' type_id=1 bits_offset=4026531840
                """,
            json:
                #"{"id":2,"kind":"UNION","name":"(anon)","size":4,"vlen":1,"members":[{"name":"a","type_id":1,"bits_offset":4026531840}]}"#
        ) {
            let int = $0.int()
            $0.structure(size: 4, union: true, [("a", int, 0xf000_0000)])
        },
        DumpCase(
            .enum,
            raw: """
                [1] ENUM 'e' encoding=UNSIGNED size=4 vlen=2
                \t'A' val=0
                \t'B' val=2147483647
                """,
            json:
                #"{"id":1,"kind":"ENUM","name":"e","encoding":"UNSIGNED","size":4,"vlen":2,"values":[{"name":"A","val":0},{"name":"B","val":2147483647}]}"#
        ) { $0.enumeration("e", [("A", 0), ("B", 0x7fff_ffff)]) },
        DumpCase(
            .enum, raw: "[1] ENUM 'e' encoding=SIGNED size=1 vlen=1\n\t'A' val=-1",
            json:
                #"{"id":1,"kind":"ENUM","name":"e","encoding":"SIGNED","size":1,"vlen":1,"values":[{"name":"A","val":-1}]}"#
        ) { $0.enumeration("e", size: 1, signed: true, [("A", -1)]) },
        DumpCase(
            .enum, raw: "[1] ENUM 'e' encoding=UNSIGNED size=4 vlen=1\n\t'A' val=4294967295",
            // bpftool's sign extension; see JSONDumper.
            json:
                #"{"id":1,"kind":"ENUM","name":"e","encoding":"UNSIGNED","size":4,"vlen":1,"values":[{"name":"A","val":18446744073709551615}]}"#
        ) { $0.enumeration("e", [("A", -1)]) },
        DumpCase(
            .fwd, raw: "[1] FWD 'f' fwd_kind=struct",
            json: #"{"id":1,"kind":"FWD","name":"f","fwd_kind":"struct"}"#
        ) { $0.forward("f") },
        DumpCase(
            .fwd, raw: "[1] FWD 'f' fwd_kind=union",
            json: #"{"id":1,"kind":"FWD","name":"f","fwd_kind":"union"}"#
        ) { $0.forward("f", union: true) },
        DumpCase(
            .typedef, raw: "[2] TYPEDEF 'u8' type_id=1",
            json: #"{"id":2,"kind":"TYPEDEF","name":"u8","type_id":1}"#
        ) {
            let int = $0.int()
            $0.typedef("u8", int)
        },
        DumpCase(
            .volatile, raw: "[1] VOLATILE '(anon)' type_id=0",
            json: #"{"id":1,"kind":"VOLATILE","name":"(anon)","type_id":0}"#
        ) { $0.wrap(.volatile, 0) },
        DumpCase(
            .const, raw: "[1] CONST '(anon)' type_id=0",
            json: #"{"id":1,"kind":"CONST","name":"(anon)","type_id":0}"#
        ) { $0.wrap(.const, 0) },
        DumpCase(
            .restrict, raw: "[1] RESTRICT '(anon)' type_id=0",
            json: #"{"id":1,"kind":"RESTRICT","name":"(anon)","type_id":0}"#
        ) { $0.wrap(.restrict, 0) },
        DumpCase(
            .func, raw: "[2] FUNC 'f' type_id=1 linkage=extern",
            json: #"{"id":2,"kind":"FUNC","name":"f","type_id":1,"linkage":"extern"}"#
        ) {
            let proto = $0.prototype()
            $0.function("f", proto, linkage: .extern)
        },
        DumpCase(
            .funcProto,
            raw:
                "[2] FUNC_PROTO '(anon)' ret_type_id=1 vlen=2\n\t'a' type_id=1\n\t'(anon)' type_id=0",
            json:
                #"{"id":2,"kind":"FUNC_PROTO","name":"(anon)","ret_type_id":1,"vlen":2,"params":[{"name":"a","type_id":1},{"name":"(anon)","type_id":0}]}"#
        ) {
            let int = $0.int()
            $0.prototype(returns: int, [("a", int), ("", 0)])
        },
        DumpCase(
            .var, raw: "[2] VAR 'v' type_id=1, linkage=global",
            json: #"{"id":2,"kind":"VAR","name":"v","type_id":1,"linkage":"global"}"#
        ) {
            let int = $0.int()
            $0.variable("v", int)
        },
        DumpCase(
            .datasec,
            raw: """
                [3] DATASEC '.data' size=8 vlen=2
                \ttype_id=2 offset=0 size=4 (VAR 'v')
                \ttype_id=9 offset=4 size=4
                """,
            json:
                #"{"id":3,"kind":"DATASEC","name":".data","size":8,"vlen":2,"vars":[{"type_id":2,"offset":0,"size":4},{"type_id":9,"offset":4,"size":4}]}"#
        ) {
            let int = $0.int()
            let variable = $0.variable("v", int)
            $0.section(".data", size: 8, [(variable, 0, 4), (9, 4, 4)])
        },
        DumpCase(
            .float, raw: "[1] FLOAT 'double' size=8",
            json: #"{"id":1,"kind":"FLOAT","name":"double","size":8}"#
        ) { $0.float("double", size: 8) },
        DumpCase(
            .declTag, raw: "[2] DECL_TAG 'bpf_kfunc' type_id=1 component_idx=-1",
            json: #"{"id":2,"kind":"DECL_TAG","name":"bpf_kfunc","type_id":1,"component_idx":-1}"#
        ) {
            let int = $0.typedef("t", 0)
            $0.declTag("bpf_kfunc", int)
        },
        DumpCase(
            .typeTag, raw: "[1] TYPE_TAG 'user' type_id=0",
            json: #"{"id":1,"kind":"TYPE_TAG","name":"user","type_id":0}"#
        ) { $0.typeTag("user", 0) },
        DumpCase(
            .enum64,
            raw: """
                [1] ENUM64 'big' encoding=UNSIGNED size=8 vlen=1
                \t'A' val=18446744073709551615ULL
                """,
            json:
                #"{"id":1,"kind":"ENUM64","name":"big","encoding":"UNSIGNED","size":8,"vlen":1,"values":[{"name":"A","val":18446744073709551615}]}"#
        ) { $0.enumeration64("big", [("A", .max)]) },
        DumpCase(
            .enum64, raw: "[1] ENUM64 'big' encoding=SIGNED size=8 vlen=1\n\t'A' val=-2LL",
            json:
                #"{"id":1,"kind":"ENUM64","name":"big","encoding":"SIGNED","size":8,"vlen":1,"values":[{"name":"A","val":-2}]}"#
        ) { $0.enumeration64("big", signed: true, [("A", .max - 1)]) },
    ]
}

extension DumpCase {
    /// As bpftool of linux-next prints them.
    fileprivate static let locations: [DumpCase] =
        [
            ("reg1", 0x8, 4, [1]), ("reg0, reg1", 0x8, 16, [0, 1]), ("*(reg7)", 0x18, 8, [7]),
            ("*(reg2 + 0x10)", 0x38, 8, [2, 0x10]), ("reg2 + 0x10", 0x28, 8, [2, 0x10]),
            ("fbreg - 0x10", 0x29, 8, [0xffff_ffff, 0xffff_fff0]),
            ("*(fbreg - 0x20)", 0x39, 8, [0xffff_ffff, 0xffff_ffe0]),
            ("*(reg3 - 0x1)", 0x39, 8, [3, 0xffff_ffff, 0xffff_ffff]),
            ("0x123456789abcdef0 (addr)", 0x6, 8, [0x9abc_def0, 0x1234_5678]),
            ("0xdeadbeeffeedface", 0x2, 8, [0xfeed_face, 0xdead_beef]), ("-0x1", 0x3, 4, [.max]),
            ("0x2a", 0x3, 4, [42]),
            // What means nothing.
            ("0x1 0x2", 0x40, 4, [1, 2]), ("0x1 0x2 0x3 0x4 ...", 0x8, 4, [1, 2, 3, 4, 5]),
            ("", 0x8, 4, []),
        ].map { (text: String, flags: UInt32, size: UInt32, values: [UInt32]) in
            let head = "size=\(size) flags=0x\(String(flags, radix: 16)) vlen=\(values.count)"
            let fields = #""size":\#(size),"flags":\#(flags),"vlen":\#(values.count)"#
            return DumpCase(
                .locParam, raw: "[1] LOC_PARAM '(anon)' \(head) values='\(text)'",
                json:
                    #"{"id":1,"kind":"LOC_PARAM","name":"(anon)",\#(fields),"values":"\#(text)"}"#
            ) { $0.location(flags, size: size, values) }
        } + [
            DumpCase(
                .locProto,
                raw: """
                    [2] LOC_PROTO '(anon)' vlen=3
                    \ttype_id=1 value='reg5'
                    \ttype_id=0
                    \ttype_id=9
                    """,
                json:
                    #"{"id":2,"kind":"LOC_PROTO","name":"(anon)","vlen":3,"params":[{"type_id":1,"value":"reg5"},{"type_id":0},{"type_id":9}]}"#
            ) {
                let place = $0.location(0x8, [5])
                $0.locations([place, 0, 9])
            },
            DumpCase(
                .locsec,
                raw: """
                    [4] LOCSEC 'inline.text' vlen=2
                    \tname='foo' func_type_id=2 loc_proto_type_id=3 offset=64
                    \tname='(anon)' func_type_id=9 loc_proto_type_id=0 offset=4294967295
                    """,
                json:
                    #"{"id":4,"kind":"LOCSEC","name":"inline.text","vlen":2,"locs":[{"name":"foo","func_type_id":2,"loc_proto_type_id":3,"offset":64},{"name":"(anon)","func_type_id":9,"loc_proto_type_id":0,"offset":4294967295}]}"#
            ) {
                let function = $0.function("foo", $0.prototype())
                let places = $0.locations([])
                $0.sites("inline.text", [(function, places, 64), (9, 0, .max)])
            },
        ]
}

/// Void is type 0 of all BTF, and written as bpftool does.
@Suite struct DumpVoidTests {
    @Test func void() throws {
        let btf = try BTFAssembler().parse()
        #expect(try text(btf, .raw, [.void]) == "[0] UNKNOWN '(anon)'\n")
        #expect(
            try text(btf, .json, [.void])
                == "{\"types\":[{\"id\":0,\"kind\":\"UNKNOWN\",\"name\":\"(anon)\"}]}\n")
        #expect(throws: BTFError.self) { try text(btf, .raw, [TypeID(1)]) }
    }
}

/// A dump as text.
func text(
    _ btf: BTF, _ format: DumpFormat = .raw, _ selected: [TypeID]? = nil,
    _ options: COptions = COptions()
) throws -> String {
    var out: [UInt8] = []
    try dump(btf, format: format, selecting: selected, c: options) { text in
        out += text.bytes()
        return true
    }
    return String(decoding: out, as: UTF8.self)
}

@Suite struct DumpRawTests {
    @Test(arguments: DumpCase.all) func oneKind(_ sample: DumpCase) throws {
        for (bigEndian, headerLength) in [(false, 24), (true, 24), (false, 32), (true, 32)] {
            var asm = BTFAssembler(bigEndian: bigEndian, headerLength: headerLength)
            sample.build(&asm)
            let btf = try asm.parse()
            let last = TypeID(btf.typeCount - 1)
            #expect(try text(btf, .raw, [last]) == sample.raw + "\n")
            #expect(try text(btf, .json, [last]) == #"{"types":["# + sample.json + "]}\n")
        }
    }

    /// Long dumps come in pieces, until nothing more is wanted.
    @Test(arguments: [DumpFormat.raw, .json]) func pieces(_ format: DumpFormat) throws {
        var asm = BTFAssembler()
        let int = asm.int()
        asm.structure("large", size: 4, (0..<40_000).map { ("m\($0)", int, 0) })
        for index in 0..<5000 { asm.typedef("t\(index)", int) }
        let btf = try asm.parse()
        let whole = try text(btf, format)
        var pieces: [[UInt8]] = []
        try dump(btf, format: format) { text in
            pieces.append(text.bytes())
            return true
        }
        #expect(pieces.count > 5 && pieces.allSatisfy { $0.count < 1 << 18 })
        #expect(String(decoding: pieces.joined(), as: UTF8.self) == whole)
        for wanted in 1...3 {
            var got: [[UInt8]] = []
            try dump(btf, format: format) { text in
                got.append(text.bytes())
                return got.count < wanted
            }
            #expect(got == Array(pieces.prefix(wanted)))
        }
    }

    @Test func everyKindHasACase() {
        #expect(Set(DumpCase.all.map(\.kind)) == Set(Kind.allCases))
    }

    @Test func splitListsOwnTypesByTheirIDs() throws {
        var asm = BTFAssembler()
        asm.int()
        let base = try asm.parse()
        var split = BTFAssembler(base: base)
        split.pointer(1)
        split.typedef("int", 1)
        let btf = try split.parse()
        #expect(
            try text(btf, .raw)
                == "[2] PTR '(anon)' type_id=1\n[3] TYPEDEF 'int' type_id=1\n")
        #expect(btf.ids(named: "int") == [TypeID(1), TypeID(3)])
        #expect(btf.ids(named: "").isEmpty)
    }

    @Test func jsonEscapes() throws {
        var asm = BTFAssembler()
        asm.float("q\"b\\t\tn\nc\u{1}\u{e9}", size: 4)
        #expect(try text(try asm.parse(), .json).contains(#""name":"q\"b\\t\tn\nc\u0001é""#))
    }

    @Test func emptyFile() throws {
        let btf = try BTFAssembler().parse()
        #expect(try text(btf, .raw).isEmpty)
        #expect(try text(btf, .json) == "{\"types\":[]}\n")
    }

    @Test func missingID() throws {
        let btf = try BTFAssembler().parse()
        #expect(throws: BTFError.self) { try text(btf, .raw, [TypeID(1)]) }
    }
}
