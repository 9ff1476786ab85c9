// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// BTF that a C compiler makes of ordinary or unusual C, and what BPF_BTF_LOAD says.
struct AnsweredBTF: CustomTestStringConvertible, Sendable {
    let name: String
    let errno: KernelErrno?
    var type: UInt32?
    /// The last line of the kernel's log.
    var line = ""
    /// A part of the cause.
    var cause: String?
    /// Kernels from here on say so; older ones take it.
    var since = KernelVersion(5, 18)
    let build: @Sendable (inout BTFAssembler) -> Void

    var testDescription: String { name }

    /// Type 1 of each is `int`.
    static let all: [AnsweredBTF] = [
        AnsweredBTF(
            name: "packed double", errno: .invalid, type: 3,
            line: "\td type_id=2 bits_offset=32 Member is not properly aligned",
            cause: "packed"
        ) {
            let double = $0.float("double", size: 8)
            $0.structure("s", size: 12, [("i", 1, 0), ("d", double, 32)])
        },
        AnsweredBTF(
            name: "a typedef of void returned", errno: .invalid, type: 3,
            line: "[3] FUNC_PROTO (anon) return=2 args=(void) Invalid return type",
            cause: "typedef nothing"
        ) { $0.prototype(returns: $0.typedef("nothing", 0)) },
        AnsweredBTF(
            name: "33 nested structs", errno: .tooBig, type: 2,
            line: "[2] STRUCT s0 size=4 vlen=1 Exceeded max resolving depth:32",
            cause: "from struct s0"
        ) {
            for level: UInt32 in 0..<33 {
                $0.structure("s\(level)", size: 4, [("m", level == 32 ? 1 : level + 3, 0)])
            }
        },
        AnsweredBTF(name: "33 nested structs, inner ones first", errno: nil) {
            for level: UInt32 in 0..<33 {
                $0.structure("s\(level)", size: 4, [("m", level == 0 ? 1 : level + 1, 0)])
            }
        },
        AnsweredBTF(
            name: "an irregular int with bit-fields", errno: .invalid, type: 3,
            line: "\tm type_id=2 bitfield_size=3 bits_offset=0 Invalid member base type"
        ) {
            let odd = $0.int("odd", size: 4, bits: 5)
            $0.bitfields("s", size: 4, [("m", odd, 0, 3)])
        },
        AnsweredBTF(
            name: "a short enum at the end of a struct with bit-fields", errno: .invalid, type: 3,
            line: "\te type_id=2 bitfield_size=0 bits_offset=8 Member exceeds struct_size",
            cause: "the kernel counts 4"
        ) {
            let short = $0.enumeration("e", size: 1, [("A", 1)])
            $0.bitfields("s", size: 4, [("b", 1, 0, 3), ("e", short, 8, 0)])
        },
        AnsweredBTF(
            name: "a name that is empty, but not at 0", errno: .invalid, type: 2,
            line: "[2] STRUCT  size=4 vlen=0 Invalid name"
        ) { $0.raw([4, 4 << 24, 4]) },
        AnsweredBTF(
            name: "a loop of structs", errno: .exists, type: 2,
            line: "[2] STRUCT a size=4 vlen=1 Loop detected"
        ) {
            $0.structure("a", size: 4, [("m", 3, 0)])
            $0.structure("b", size: 4, [("m", 2, 0)])
        },
        AnsweredBTF(
            name: "an encoding of two", errno: .notSupported, type: 2,
            line: "[2] INT x size=4 bits_offset=0 nr_bits=32 encoding=UNKN Unsupported encoding"
        ) { $0.int("x", encoding: 3) },
        AnsweredBTF(
            name: "a circle of typedefs", errno: .exists, type: 2,
            line: "[2] TYPEDEF a type_id=3 Loop detected"
        ) {
            $0.typedef("a", 3)
            $0.typedef("b", 2)
        },
        AnsweredBTF(name: "const of a function of lower id", errno: nil) {
            $0.wrap(.const, $0.function("f", $0.prototype()))
        },
        AnsweredBTF(
            name: "an array indexed by a float", errno: .invalid, type: 3,
            line: "[3] ARRAY (anon) type_id=1 index_type_id=2 nr_elems=2 Invalid index"
        ) { $0.array(1, index: $0.float("f", size: 4), 2) },
        AnsweredBTF(name: "bits 8 to 15 of an int", errno: nil) {
            $0.record(.int, "x", third: 4, [0x0000_ff20])
        },
        AnsweredBTF(
            name: "two locks", errno: .tooBig, type: 3, cause: "more than one bpf_spin_lock",
            since: KernelVersion(6, 2)
        ) {
            let lock = $0.structure("bpf_spin_lock", size: 4, [("val", 1, 0)])
            $0.structure("s", size: 8, [("a", lock, 0), ("b", lock, 32)])
        },
        AnsweredBTF(
            name: "a list without its tag", errno: .invalid, type: 4,
            cause: "without a tag contains:", since: KernelVersion(6, 2)
        ) {
            let lock = $0.structure("bpf_spin_lock", size: 4, [("val", 1, 0)])
            let head = $0.structure("bpf_list_head", size: 16, [])
            $0.structure("s", size: 24, [("lock", lock, 0), ("head", head, 64)])
        },
        AnsweredBTF(
            name: "a list without a lock", errno: .invalid, type: 5, cause: "without a spin lock",
            since: KernelVersion(6, 2)
        ) {
            let head = $0.structure("bpf_list_head", size: 16, [])
            let node = $0.structure("bpf_list_node", size: 24, [])
            let value = $0.structure("value", size: 24, [("n", node, 0)])
            let owner = $0.structure("s", size: 16, [("head", head, 0)])
            $0.declTag("contains:value:n", owner, component: 0)
            _ = value
        },
    ]
}

@Suite struct KernelAnswerTests {
    static func rules(_ version: KernelVersion) -> TargetRules { TargetRules(version)! }

    static let releases = [
        KernelVersion(5, 15), KernelVersion(6, 1), KernelVersion(6, 12), KernelVersion(7, 2),
        KernelVersion(7, 3),
    ]

    @Test(arguments: AnsweredBTF.all) func programs(_ case: AnsweredBTF) throws {
        var asm = BTFAssembler()
        asm.int()
        `case`.build(&asm)
        for version in Self.releases
        where version >= `case`.since || version >= KernelVersion(6, 0) {
            let answer = answerToProgram(
                ByteView(asm.bytes()), kernel: nil, rules: Self.rules(version), bigEndian: false)
            guard let errno = `case`.errno, version >= `case`.since else {
                #expect(answer == .taken, "\(version): \(answer)")
                continue
            }
            let refusal = try #require(answer.refusal, "\(version)")
            #expect(refusal.errno == errno && refusal.type?.rawValue == `case`.type, "\(refusal)")
            #expect(refusal.lines.last ?? "" == `case`.line, "\(version)")
            #expect((refusal.cause ?? "").contains(`case`.cause ?? ""), "\(refusal)")
        }
    }

    // MARK: Modules

    /// A kernel that loads a module looks at each record by itself.
    @Test func modulesAreHeldToLess() throws {
        var base = BTFAssembler()
        base.int()
        let kernel = try base.parse()
        func answer(
            _ build: (inout BTFAssembler) -> Void, _ version: KernelVersion = KernelVersion(6, 12)
        ) -> KernelAnswer {
            var asm = BTFAssembler(base: kernel)
            build(&asm)
            return answerToModule(
                ByteView(asm.bytes()), distilledBase: nil, kernel: KernelTypes(kernel),
                rules: Self.rules(version), bigEndian: false)
        }
        #expect(answer { $0.pointer(0xf_ffff) } == .taken)
        #expect(answer { $0.pointer($0.nextID) } == .taken)
        #expect(answer { $0.function("f", 1) } == .taken)
        #expect(answer { $0.structure("s", size: 4, [("m", 1, 32)]) } == .taken)
        #expect(answer { $0.section(".data", size: 4, [(77, 0, 4)]) } == .taken)
        #expect(answer { _ in } == .taken)
        // What is still looked at.
        let refused = answer { $0.pointer(0x10_0000) }
        #expect(refused.refusal?.lines == ["[2] PTR (anon) type_id=1048576 Invalid type_id"])
        #expect(answer { $0.typedef("t", 50) }.refusal?.lines == [], "a modifier of nothing")
        #expect(answer { $0.typedef("t", $0.nextID) }.refusal?.errno == .loop)
        let names = answer { $0.raw([99, 1 << 24, 4, 32]) }
        #expect(names.refusal?.lines == ["[2] Invalid name_offset:99"])
        // Eight bytes of a header, and an odd layout.
        let header: [UInt8] = [0x9f, 0xeb, 1, 0, 8, 0, 0, 0]
        #expect(
            answerToModule(
                ByteView(header), distilledBase: nil, kernel: KernelTypes(kernel),
                rules: Self.rules(KernelVersion(7, 2)), bigEndian: false) == .taken)
    }

    /// Chains are followed as far as they were not followed before.
    @Test func chains() throws {
        var asm = BTFAssembler()
        asm.int()
        asm.wrap(.const, 1)
        for id: UInt32 in 2..<60 { asm.wrap(.const, id) }
        let rules = Self.rules(KernelVersion(6, 1))
        #expect(answerToOwn(ByteView(asm.bytes()), rules: rules, bigEndian: false) == .taken)
        var forward = BTFAssembler()
        forward.int()
        for id: UInt32 in 2..<35 { forward.wrap(.const, id + 1) }
        forward.wrap(.const, 1)
        let refusal = answerToOwn(ByteView(forward.bytes()), rules: rules, bigEndian: false).refusal
        #expect(refusal?.errno == .loop && refusal?.type == TypeID(2))
        #expect(refusal?.lines == ["Max chain length or cycle detected"])
    }

    /// Bytes of any kind have an answer on each way, and nothing beyond them is read.
    @Test(arguments: 0..<6) func anyBytes(_ seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        var base = BTFAssembler()
        base.int()
        let kernel = try #require(KernelTypes(base.parse()))
        let whole = AnsweredBTF.all.reduce(into: BTFAssembler()) { asm, one in
            if asm.records.isEmpty { asm.int() }
            one.build(&asm)
        }.bytes()
        for round in 0..<500 {
            var bytes =
                round % 5 == 0
                ? (0..<64).map { _ in UInt8.random(in: 0...255, using: &random) } : whole
            if round % 5 == 0 { bytes.replaceSubrange(0..<4, with: [0x9f, 0xeb, 1, 0]) }
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] =
                    UInt8.random(in: 0...255, using: &random)
            }
            if round % 3 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            for version in Self.releases + [KernelVersion(5, 2)] {
                let rules = Self.rules(version)
                for distilled in [nil, ByteView(bytes)] {
                    _ = answerToModule(
                        ByteView(bytes), distilledBase: distilled, kernel: kernel, rules: rules,
                        bigEndian: round % 2 == 0)
                }
                _ = answerToProgram(
                    ByteView(bytes), kernel: kernel, rules: rules, bigEndian: false)
                _ = answerToOwn(ByteView(bytes), rules: rules, bigEndian: false)
            }
        }
    }

    // MARK: Machines

    /// Kernels go by their own `sizeof(void *)`, whatever a `long` has: for members that are
    /// pointers, arrays of them, and the alignment of floating-point numbers.
    @Test func pointerSize() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        asm.int("long", size: 4)
        let pointer = asm.pointer(int)
        let array = asm.array(pointer, index: int, 2)
        let double = asm.record(.float, "double", third: 8)
        asm.structure("p", size: 8, [("x", int, 0), ("p", pointer, 32)])
        asm.structure("a", size: 12, [("x", int, 0), ("a", array, 32)])
        asm.structure("d", size: 12, [("x", int, 0), ("d", double, 32)])
        let bytes = ByteView(asm.bytes())
        func answer(_ size: UInt32) -> KernelAnswer {
            answerToProgram(
                bytes, kernel: nil, rules: Self.rules(KernelVersion(6, 12)), bigEndian: false,
                pointerSize: size)
        }
        #expect(answer(4) == .taken)
        #expect(answer(8).refusal?.type?.rawValue == 6)
    }

    // MARK: Time

    /// What takes kernels long, or other readers: each is answered in one pass.
    @Test func hostile() throws {
        let rules = Self.rules(KernelVersion(7, 2))
        func answer(_ asm: BTFAssembler) -> KernelAnswer {
            answerToProgram(ByteView(asm.bytes()), kernel: nil, rules: rules, bigEndian: false)
        }
        // Many functions of one long prototype.
        var functions = BTFAssembler()
        functions.int()
        let long = functions.prototype(
            returns: 1, (0..<50_000).map { _ in ("a", 1) as (String, UInt32) })
        for _ in 0..<50_000 { functions.function("f", long) }
        #expect(answer(functions) == .taken)
        // Structs of two of the next: 2 to the power of 30 fields in all.
        var doubled = BTFAssembler()
        doubled.int()
        let lock = doubled.structure("bpf_spin_lock", size: 4, [("val", 1, 0)])
        var last = doubled.structure("e", size: 0, [])
        for level in 0..<29 {
            last = doubled.structure("d\(level)", size: 0, [("a", last, 0), ("b", last, 0)])
        }
        doubled.structure("s", size: 4, [("l", lock, 0), ("d", last, 32)])
        #expect(answer(doubled) == .taken)
        // One name of megabytes for all types.
        var names = BTFAssembler()
        names.int()
        let offset = names.string(String(repeating: "bpf_", count: 1 << 20))
        for _ in 0..<100_000 { names.raw([offset, 1 << 24, 4, 32]) }
        #expect(answer(names) == .taken)
    }
}
