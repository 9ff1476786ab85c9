// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@testable import BPFObject

/// What CO-RE relocations of an object need of a kernel's types.
@Suite struct NeededTypesTests {
    /// An object with relocations of types that it declares.
    static func object(
        bigEndian: Bool = false,
        _ declare: (inout BTFAssembler) -> [RelocationRecord]
    ) throws -> RelocatedObject {
        var image = BPFImage(bigEndian: bigEndian)
        let records = declare(&image.btf)
        image.ask(records)
        return try RelocatedObject(image.view(), path: "x.o")
    }

    /// The excerpt for objects, a line for each type.
    static func lines(
        of kernel: BTF, modules: [BTF] = [], _ objects: RelocatedObject...
    ) throws -> [String] {
        var needed = NeededTypes(
            RelocationTargets(kernel: kernel, modules: modules, for: objects))
        for object in objects { _ = try needed.add(object) }
        let bytes = ByteView(needed.excerpt.serialized())
        let btf = try BTF.parse(bytes)
        // Kernels refuse BTF without types; this is for libraries.
        if btf.typeCount > 1 { #expect(check(bytes, limit: 9).isSound) }
        return btf.ownRecords.map(line)
    }

    static func line(_ record: Record) -> String {
        var text = "\(record.kind.word) \(record.name)"
        if record.kind.isComposite {
            text += " \(record.size)" + (record.flag ? " flag" : "")
            for member in record.members {
                text += " \(member.name):\(member.type)@\(member.bitOffset)"
                if member.bitfieldSize > 0 { text += "/\(member.bitfieldSize)" }
            }
        } else if record.kind.isAnyEnum {
            text += " " + record.enumValues.map(\.name).joined(separator: " ")
        } else if record.kind == .array {
            text += " \(record.fixed(2)) of \(record.fixed(0)) by \(record.fixed(1))"
        } else if record.kind == .funcProto {
            text += " -> \(record.type)"
            for index in 0..<record.count {
                text += " \(record.elementName(index)):\(record.element(index, 1))"
            }
        } else if record.kind != .int, record.kind != .fwd {
            text += " -> \(record.type)"
        }
        return text
    }

    /// A kernel with a little of everything.
    static func kernel(bigEndian: Bool = false) throws -> BTF {
        try kernelTypes(bigEndian: bigEndian).parse()
    }

    private static func kernelTypes(bigEndian: Bool = false) -> BTFAssembler {
        var asm = BTFAssembler(bigEndian: bigEndian)
        let int = asm.int()
        let long = asm.int("long", size: 8)
        let inner = asm.structure(
            "inner", size: 12, [("a", int, 0), ("b", int, 32), ("c", int, 64)])
        let constant = asm.wrap(.const, inner)
        let array = asm.array(constant, index: long, 3)
        let nested = asm.structure(size: 8, union: true, [("x", int, 0), ("y", long, 0)])
        let flexible = asm.array(int, index: long, 0)
        let pointer = asm.pointer(inner)
        asm.bitfields(
            "task", size: 80,
            [
                ("pid", int, 0, 0), ("low", int, 32, 3), ("high", int, 35, 5), ("", nested, 64, 0),
                ("list", array, 128, 0), ("next", pointer, 448, 0), ("tail", flexible, 512, 0),
            ])
        asm.typedef("task_t", 9)
        asm.enumeration("state", [("idle", 0), ("busy___2", 7)])
        asm.enumeration64("wide", [("far", 1 << 40)])
        let proto = asm.prototype(returns: int, [("t", asm.pointer(9)), ("n", long)])
        asm.typedef("callback", asm.pointer(proto))
        asm.pointer(asm.forward("hidden"))
        asm.structure("owner", size: 24, [("hidden", 18, 0), ("inner", inner, 64)])
        return asm
    }

    @Test(arguments: ObjectTests.orders) func members(bigEndian: Bool) throws {
        // Only what is accessed, in the object's own layout.
        let object = try Self.object(bigEndian: bigEndian) { btf in
            let inner = btf.structure("inner", size: 4, [("c", 1, 0)])
            let list = btf.array(inner, index: 1, 8)
            let task = btf.structure("task___mine", size: 72, [("y", 1, 0), ("list", list, 64)])
            return [
                RelocationRecord(task, "0:0"), RelocationRecord(task, "0:1:2:0", kind: 1),
            ]
        }
        #expect(
            try Self.lines(of: Self.kernel(bigEndian: bigEndian), object) == [
                "INT int", "INT long", "STRUCT inner 12 c:1@64", "CONST  -> 3",
                "ARRAY  3 of 4 by 2", "UNION  8 y:2@0", "STRUCT task 80 :6@64 list:5@128",
            ])
    }

    /// The kind flag only with a bitfield.
    @Test(arguments: 2...5 as ClosedRange<UInt32>) func bitfields(kind: UInt32) throws {
        let object = try Self.object { btf in
            let task = btf.bitfields("task", size: 4, [("high", 1, 0, 4), ("pid", 1, 4, 4)])
            return [RelocationRecord(task, "0:0", kind: kind)]
        }
        #expect(
            try Self.lines(of: Self.kernel(), object) == [
                "INT int", "STRUCT task 80 flag high:1@35/5",
            ])
        let plain = try Self.object { btf in
            [RelocationRecord(btf.structure("task", size: 4, [("pid", 1, 0)]), "0:0", kind: kind)]
        }
        #expect(try Self.lines(of: Self.kernel(), plain) == ["INT int", "STRUCT task 80 pid:1@0"])
    }

    /// Pointers lead to void, arrays without a length have elements, typedefs of the same name
    /// stay.
    @Test func otherMembers() throws {
        let object = try Self.object { btf in
            let next = btf.pointer(0)
            let tail = btf.array(1, index: 1, 0)
            let task = btf.structure(size: 8, [("next", next, 0), ("tail", tail, 64)])
            let name = btf.typedef("task_t", task)
            return [RelocationRecord(name, "0:0"), RelocationRecord(name, "0:1:9")]
        }
        #expect(
            try Self.lines(of: Self.kernel(), object) == [
                "INT int", "INT long", "ARRAY  0 of 1 by 2", "PTR  -> 0",
                "STRUCT task 80 next:4@448 tail:3@512", "TYPEDEF task_t -> 5",
            ])
    }

    @Test func typesAndEnumerators() throws {
        let object = try Self.object { btf in
            let any = btf.pointer(btf.structure("any", size: 4, [("x", 1, 0)]))
            let proto = btf.prototype(returns: 1, [("t", any), ("n", 1)])
            let callback = btf.typedef("callback", btf.pointer(proto))
            let state = btf.enumeration64("state___v2", [("busy", 9)])
            let wide = btf.enumeration("wide", [("far", 0), ("none", 1)])
            return [
                RelocationRecord(callback, "0", kind: 8), RelocationRecord(state, "0", kind: 11),
                RelocationRecord(wide, "0", kind: 10), RelocationRecord(wide, "1", kind: 10),
                // Of the object's own types.
                RelocationRecord(callback, "0", kind: 6),
            ]
        }
        #expect(
            try Self.lines(of: Self.kernel(), object)
                == [
                    "INT int", "INT long", "STRUCT task 80", "ENUM state idle busy___2",
                    "ENUM64 wide far", "PTR  -> 3", "FUNC_PROTO  -> 1 t:6 n:2", "PTR  -> 7",
                    "TYPEDEF callback -> 8",
                ])
    }

    /// Matching needs all members, also of structs in it; behind pointers names suffice.
    @Test func matches() throws {
        let object = try Self.object { btf in
            let inner = btf.structure("inner", size: 12, [("b", 1, 0)])
            let owner = btf.structure("owner", size: 16, [("inner", inner, 0)])
            return [RelocationRecord(owner, "0", kind: 12)]
        }
        #expect(
            try Self.lines(of: Self.kernel(), object) == [
                "INT int", "STRUCT inner 12 a:1@0 b:1@32 c:1@64", "FWD hidden", "PTR  -> 3",
                "STRUCT owner 24 hidden:4@0 inner:2@64",
            ])
        let other = try Self.object { btf in
            let owner = btf.structure("owner", size: 16, [("absent", 1, 0)])
            return [RelocationRecord(owner, "0", kind: 12)]
        }
        #expect(try Self.lines(of: Self.kernel(), other) == [])
    }

    /// Nothing is needed for what the kernel lacks.
    @Test func missing() throws {
        let object = try Self.object { btf in
            let task = btf.structure("task", size: 8, [("absent", 1, 0), ("next", 1, 32)])
            let other = btf.structure("nothing", size: 4, [("pid", 1, 0)])
            let wrong = btf.structure(
                "task___wrong", size: 8, union: true, [("pid", 1, 0)])
            return [
                RelocationRecord(task, "0:0", kind: 2), RelocationRecord(other, "0:0"),
                // A pointer is no integer, a union no struct.
                RelocationRecord(task, "0:1"), RelocationRecord(wrong, "0:0"),
                RelocationRecord(other, "0", kind: 8),
            ]
        }
        var needed = NeededTypes(RelocationTargets(kernel: try Self.kernel(), for: [object]))
        let found = try needed.add(object)
        #expect(found.missing == 5 && found.ids == 0)
        #expect(try BTF.parse(ByteView(needed.excerpt.serialized())).typeCount == 1)
    }

    // MARK: Candidates

    /// Types that give the same answer stand for each other; others are an error.
    @Test func severalTypes() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        asm.structure("s", size: 8, [("a", int, 0), ("x", int, 32)])
        asm.structure("s", size: 16, [("b", int, 0), ("x", int, 32)])
        asm.structure("s", size: 16, [("c", int, 0), ("x", int, 64)])
        let kernel = try asm.parse()
        func ask(_ paths: String...) throws -> [String] {
            let object = try Self.object { btf in
                let s = btf.structure(
                    "s", size: 16, [("a", 1, 0), ("b", 1, 32), ("c", 1, 64), ("x", 1, 96)])
                return paths.map { RelocationRecord(s, $0) }
            }
            return try Self.lines(of: kernel, object)
        }
        #expect(try ask("0:1") == ["INT int", "STRUCT s 16 b:1@0"])
        // What one access has ruled out is out for the next.
        #expect(try ask("0:2", "0:3") == ["INT int", "STRUCT s 16 c:1@0 x:1@64"])
        let error = #expect(throws: BPFObjectError.self) { _ = try ask("0:3") }
        #expect(error?.section == "tp/asking" && error?.offset == 0)
        #expect(error?.message.contains("[2] and [4] of the kernel give different") == true)
    }

    @Test func modules() throws {
        let kernel = try Self.kernel()
        var asm = BTFAssembler(base: kernel)
        let inner = asm.pointer(3)
        asm.structure("own", size: 32, [("inner", inner, 0), ("n", 1, 64), ("i", 3, 128)])
        // The kernel's own hides it.
        asm.structure("inner", size: 4, [("d", 1, 0)])
        let module = try asm.parse()
        var small = BTFAssembler()
        small.structure("alone", size: 4, [("k", small.int("u32"), 0)])
        let object = try Self.object { btf in
            let own = btf.structure("own", size: 16, [("n", 1, 0), ("inner", btf.pointer(0), 64)])
            let i = btf.structure(size: 4, [("b", 1, 0)])
            let deep = btf.structure("own", size: 4, [("i", i, 0)])
            let inner = btf.structure("inner", size: 4, [("d", 1, 0)])
            let alone = btf.structure("alone", size: 4, [("k", 1, 0)])
            return [
                RelocationRecord(own, "0:0"), RelocationRecord(own, "0:1"),
                RelocationRecord(deep, "0:0:0"), RelocationRecord(inner, "0:0"),
                RelocationRecord(alone, "0:0"),
            ]
        }
        #expect(
            try Self.lines(of: kernel, modules: [module, small.parse()], object) == [
                "INT int", "STRUCT inner 12 b:1@32", "PTR  -> 2",
                "STRUCT own 32 inner:3@0 n:1@64 i:2@128", "INT u32", "STRUCT alone 4 k:5@0",
            ])
        #expect(try Self.lines(of: kernel, object) == [])
    }

    // MARK: Bad input

    /// One error, with the place of the instruction.
    @Test(
        arguments: [
            ("0:9", 0, "2 members, not 10"), ("0:1:3", 0, "3 elements, not 4"),
            ("0:0:0", 0, "INT [1], which has no parts"), ("a", 0, "not numbers"),
            ("0:", 0, "not numbers"), ("0:-1", 0, "not numbers"), ("1", 8, "the path to a type"),
            ("0", 10, "leads to no enumerator"), ("0:1:0", 3, "an element of an array"),
            (String(repeating: "0:", count: 65) + "0", 0, "longer than 64"),
        ] as [(String, UInt32, String)])
    func badPaths(access: String, kind: UInt32, message: String) throws {
        let object = try Self.object { btf in
            let list = btf.array(1, index: 1, 3)
            let task = btf.structure("task", size: 24, [("pid", 1, 0), ("list", list, 32)])
            return [RelocationRecord(task, "0:0"), RelocationRecord(task, access, kind: kind)]
        }
        let error = #expect(throws: BPFObjectError.self) {
            try Self.lines(of: Self.kernel(), object)
        }
        #expect(error?.section == "tp/asking" && error?.offset == 8)
        #expect(error?.message.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func anonymousTypes() throws {
        let object = try Self.object { btf in
            [RelocationRecord(btf.structure(size: 4, [("pid", 1, 0)]), "0:0")]
        }
        #expect(throws: BPFObjectError.self) { try Self.lines(of: Self.kernel(), object) }
    }

    /// Types of a hostile kernel that contain themselves, or are nested in more ways than anyone
    /// could follow.
    @Test func endlessTypes() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        // Each level twice in the next.
        var level = asm.structure(size: 4, [("a", int, 0)])
        for _ in 0..<60 {
            level = asm.structure(size: 4, union: true, [("", level, 0), ("", level, 0)])
        }
        asm.structure("deep", size: 4, [("", level, 0)])
        let loop = asm.structure("loop", size: 4, [("", asm.nextID, 0), ("self", asm.nextID, 0)])
        asm.typedef("turn", asm.nextID + 1)
        asm.wrap(.const, asm.nextID - 1)
        asm.structure("turning", size: 4, [("x", asm.nextID - 1, 0)])
        let kernel = try asm.parse()
        func ask(_ name: String, _ member: String, kind: UInt32) throws {
            let object = try Self.object { btf in
                let s = btf.structure(name, size: 4, [(member, 1, 0)])
                return [RelocationRecord(s, kind == 12 ? "0" : "0:0", kind: kind)]
            }
            var needed = NeededTypes(RelocationTargets(kernel: kernel, for: [object]))
            _ = try? needed.add(object)
            _ = needed.excerpt.serialized()
        }
        for (name, member) in [("deep", "b"), ("deep", "a"), ("loop", "x"), ("turning", "x")] {
            for kind in [0, 2, 12] as [UInt32] { try ask(name, member, kind: kind) }
        }
        #expect(loop != 0)
        // In the object's types as well.
        let object = try Self.object { btf in
            var level = btf.structure("l", size: 4, [("a", 1, 0)])
            for _ in 0..<40 {
                level = btf.structure("l", size: 4, [("p", level, 0), ("q", level, 0)])
            }
            return [RelocationRecord(level, "0", kind: 12)]
        }
        var needed = NeededTypes(RelocationTargets(kernel: object.btf, for: [object]))
        #expect(throws: BPFObjectError.self) { try needed.add(object) }
    }

    /// Any bytes in the place of a kernel's, or an object's relocations: an answer or an error.
    @Test func damage() throws {
        var random = SeededRandom(seed: 7)
        let object = try Self.object { btf in
            let list = btf.array(1, index: 1, 3)
            let task = btf.structure("task", size: 24, [("pid", 1, 0), ("list", list, 32)])
            let state = btf.enumeration("state", [("idle", 0)])
            let callback = btf.typedef("callback", btf.pointer(btf.prototype(returns: 1)))
            return (0...5).map { RelocationRecord(task, "0:0", kind: $0) }
                + [7, 8, 9, 12].flatMap {
                    [
                        RelocationRecord(task, "0", kind: $0),
                        RelocationRecord(callback, "0", kind: $0),
                    ]
                } + [10, 11].map { RelocationRecord(state, "0", kind: $0) }
                + [RelocationRecord(task, "0:1:2", kind: 1)]
        }
        let whole = Self.kernelTypes().bytes()
        for _ in 0..<2000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 24..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            guard let kernel = try? BTF.parse(ByteView(bytes)) else { continue }
            var needed = NeededTypes(RelocationTargets(kernel: kernel, for: [object]))
            _ = try? needed.add(object)
            let result = try BTF.parse(ByteView(needed.excerpt.serialized()))
            #expect(throws: Never.self) { try result.checkReferences() }
        }
    }
}
