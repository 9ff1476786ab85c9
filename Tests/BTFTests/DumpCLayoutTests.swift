// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import TestSupport
import Testing

/// What C text gives structs the layout that BTF has, whichever compiler reads it.
@Suite struct DumpCLayoutTests {
    private func c(
        longSize: UInt32 = 8, _ build: (inout BTFAssembler, Types) -> Void
    ) throws -> String {
        var asm = BTFAssembler()
        let types = Types(&asm, longSize: longSize)
        build(&asm, types)
        let btf = try asm.parse()
        return try text(
            btf, .c, [TypeID(btf.typeCount - 1)], COptions(order: .byID, frame: false))
    }

    private struct Types {
        let char: UInt32
        let short: UInt32
        let int: UInt32
        let long: UInt32
        let longLong: UInt32
        let int128: UInt32
        let pointer: UInt32

        init(_ asm: inout BTFAssembler, longSize: UInt32) {
            char = asm.int("char", size: 1)
            short = asm.int("short", size: 2)
            int = asm.int()
            long = asm.int("long", size: longSize)
            longLong = asm.int("long long", size: 8)
            int128 = asm.int("__int128", size: 16)
            pointer = asm.pointer(0)
        }
    }

    private static let packed = "/* packed: BTF does not hold its alignment */\n"
    private static let padded =
        "/* padded: BTF does not hold alignments beyond the members' own */\n"

    @Test func whatCompilersDoThemselvesIsNotWritten() throws {
        let text = try c {
            $0.structure(
                "s", size: 24, [("c", $1.char, 0), ("l", $1.long, 64), ("i", $1.int, 128)])
        }
        #expect(text == "struct s {\n\tchar c;\n\tlong l;\n\tint i;\n};\n\n")
    }

    @Test func anUnalignedMemberPacksItsStruct() throws {
        let text = try c {
            $0.structure("s", size: 12, [("i", $1.int, 0), ("l", $1.long, 32)])
        }
        #expect(
            text == Self.packed
                + "struct s {\n\tint i;\n\tlong l;\n} __attribute__((packed));\n\n")
    }

    /// i386 aligns it to 4 bytes, arm to 8.
    @Test(
        arguments: [
            (
                32, 12,
                packed + "struct s {\n\tint i;\n\tlong long l;\n} "
                    + "__attribute__((packed, aligned(4)));\n\n"
            ),
            (64, 16, padded + "struct s {\n\tint i;\n\tint: 32;\n\tlong long l;\n};\n\n"),
        ] as [(UInt32, UInt32, String)])
    func longLongOfMachinesWith32Bits(offset: UInt32, size: UInt32, expected: String) throws {
        let text = try c(longSize: 4) {
            $0.structure("s", size: size, [("i", $1.int, 0), ("l", $1.longLong, offset)])
        }
        #expect(text == expected)
    }

    /// s390x aligns it to 8 bytes, x86-64 to 16.
    @Test func int128() throws {
        let text = try c {
            $0.structure("s", size: 24, [("l", $1.long, 0), ("w", $1.int128, 64)])
        }
        #expect(
            text == Self.packed
                + "struct s {\n\tlong l;\n\t__int128 w;\n} "
                + "__attribute__((packed, aligned(8)));\n\n")
    }

    /// On arm, bits without a name align their struct: `long: 64` would make this 32 bytes.
    @Test func paddingIsNoWiderThanTheMembers() throws {
        let text = try c {
            $0.structure("s", size: 20, [("a", $1.int, 0), ("b", $1.int, 128)])
        }
        #expect(
            text == Self.padded
                + "struct s {\n\tint a;\n\tint: 32;\n\tint: 32;\n\tint: 32;\n\tint b;\n};\n\n")
    }

    @Test func paddingBehindTheMembers() throws {
        let text = try c {
            $0.structure("s", size: 24, [("l", $1.long, 0), ("c", $1.char, 64)])
        }
        #expect(
            text == Self.padded
                + "struct s {\n\tlong l;\n\tchar c;\n\tlong: 56;\n\tlong: 64;\n};\n\n")
    }

    @Test func bitfields() throws {
        let text = try c {
            // The third would not be split by a compiler, the fourth is behind a gap.
            $0.bitfields(
                "s", size: 8,
                [
                    ("a", $1.int, 0, 20), ("b", $1.int, 20, 12), ("c", $1.int, 35, 5),
                    ("d", $1.char, 48, 0),
                ])
        }
        #expect(
            text == Self.padded
                + "struct s {\n\tint a: 20;\n\tint b: 12;\n\tint: 3;\n\tint c: 5;\n\tint: 8;\n"
                + "\tchar d;\n};\n\n")
        let split = try c {
            $0.bitfields("s", size: 5, [("a", $1.int, 0, 20), ("b", $1.int, 20, 20)])
        }
        #expect(
            split == Self.packed
                + "struct s {\n\tint a: 20;\n\tint b: 20;\n} __attribute__((packed));\n\n")
    }

    @Test func unionsKeepTheirSize() throws {
        let larger = try c { $0.structure("u", size: 24, union: true, [("l", $1.long, 0)]) }
        #expect(
            larger == Self.padded
                + "union u {\n\tlong l;\n\tstruct {\n\t\tlong: 64;\n\t\tlong: 64;\n\t\tlong: 64;\n"
                + "\t} __attribute__((packed));\n};\n\n")
        let odd = try c {
            let bytes = $0.array($1.char, index: $1.int, 9)
            $0.structure("u", size: 9, union: true, [("l", $1.long, 0), ("b", bytes, 0)])
        }
        #expect(
            odd == Self.packed
                + "union u {\n\tlong l;\n\tchar b[9];\n} __attribute__((packed));\n\n")
    }

    @Test func structsWithoutALayoutInCAreBytes() throws {
        let overlap = try c {
            $0.structure("s", size: 8, [("a", $1.int, 0), ("b", $1.int, 16)])
        }
        #expect(
            overlap == "/* C has no layout with these members: they overlap, or are out of "
                + "order */\nstruct s {\n\tunsigned char __data[8];\n} __attribute__((packed));\n\n"
        )
        let beyond = try c { $0.structure("s", size: 4, [("a", $1.long, 0)]) }
        #expect(beyond.contains("unsigned char __data[4];"))
        #expect(
            try c { asm, _ in asm.structure("s", size: 5, []) }
                == "struct s {\n\tunsigned char __data[5];\n} __attribute__((packed));\n\n")
    }

    @Test func bytesWithoutANameDoNotMeet() throws {
        let text = try c { asm, _ in
            let lost = [asm.structure("", size: 3, []), asm.structure("", size: 8, [])]
            asm.structure("s", size: 11, [("", lost[0], 0), ("", lost[1], 24)])
        }
        #expect(
            text == "struct s {\n\tstruct {\n\t\tchar: 8;\n\t\tchar: 8;\n\t\tchar: 8;\n"
                + "\t} __attribute__((packed));\n\tstruct {\n\t\tlong: 64;\n"
                + "\t} __attribute__((packed));\n};\n\n")
    }

    /// -fms-extensions allows the tag, which is not on everywhere.
    @Test func membersWithATagButNoNameAreWrittenInPlace() throws {
        let text = try c {
            let inner = $0.structure("inner", size: 4, [("i", $1.int, 0)])
            $0.structure("outer", size: 8, [("", inner, 0), ("j", $1.int, 32)])
        }
        #expect(
            text == "struct inner {\n\tint i;\n};\n\n"
                + "struct outer {\n\tstruct {\n\t\tint i;\n\t};\n\tint j;\n};\n\n")
    }

    /// Both compilers make the size, and the sign: a mode makes clang's enums signed whatever their
    /// values, so that only those get one that are, or for which gcc 12 has nothing else.
    @Test(
        arguments: [
            (1, false, [0, 255], "p"), (1, false, [256], "QI unsigned char"), (1, true, [-1], "p"),
            (1, true, [-128, 127], "p"), (1, true, [1], "QI"),
            (2, false, [255], "HI unsigned short"), (2, false, [256], "p"),
            (2, false, [65535], "p"),
            (2, true, [-129], "p"), (2, true, [-1], "HI"), (2, true, [-1, 32767], "p"),
            (4, false, [1], ""), (4, false, [0xffff_ffff], ""), (4, true, [-1], ""),
            (4, true, [1], ""),
            (8, false, [1], "DI unsigned long long"), (8, true, [-1], "DI"),
            (3, false, [1], "unknown"),
        ] as [(UInt32, Bool, [Int64], String)])
    func enumsHaveTheirSize(
        size: UInt32, signed: Bool, values: [Int64], source: String
    ) throws {
        let names = values.enumerated().map { ("V\($0.offset)", $0.element) }
        let text = try c { asm, _ in
            asm.enumeration("e", size: size, signed: signed, names)
        }
        #expect(text == expected(names.map { "\t\($0.0) = \($0.1),\n" }.joined(), source))
    }

    @Test(
        arguments: [
            (8, false, [1 << 63], ""), (8, false, [1 << 32], ""), (8, true, [1 << 63], ""),
            (8, false, [0xffff_ffff], "DI unsigned long long"), (8, true, [1], "DI"),
            (4, false, [1 << 32], "SI unsigned int"),
        ] as [(UInt32, Bool, [UInt64], String)])
    func wideEnumsHaveTheirSize(
        size: UInt32, signed: Bool, values: [UInt64], source: String
    ) throws {
        let text = try c { asm, _ in
            asm.enumeration64("e", size: size, signed: signed, values.map { ("V", $0) })
        }
        let value = signed ? "\(Int64(bitPattern: values[0]))LL" : "\(values[0])ULL"
        #expect(text == expected("\tV = \(value),\n", source))
    }

    /// - Parameter source: of the size: "p" for packed, or a mode, and the type for clang.
    private func expected(_ values: String, _ source: String) -> String {
        let words = source.split(separator: " ", maxSplits: 1)
        switch (words.first, words.count) {
        case (nil, _), ("unknown", _): return "enum e {\n\(values)};\n\n"
        case ("p", _): return "enum e {\n\(values)} __attribute__((packed));\n\n"
        case (let mode?, 1): return "enum e {\n\(values)} __attribute__((mode(\(mode))));\n\n"
        case (let mode?, _):
            return """
                enum e
                #if defined(__clang__) || defined(__cplusplus)
                : \(words[1])
                #endif
                 {
                \(values)}
                #if !defined(__clang__) && !defined(__cplusplus)
                 __attribute__((mode(\(mode))))
                #endif
                ;


                """
        }
    }

    /// In clang for BPF it is a pointer, on x86-64 an array of a struct.
    @Test func theArgumentListOfTheKernelsMachine() throws {
        let text = try c {
            let tag = $0.structure("__va_list_tag", size: 8, [("p", $1.pointer, 0)])
            $0.typedef("va_list", $0.typedef("__builtin_va_list", $0.array(tag, index: $1.int, 1)))
        }
        #expect(
            text.hasSuffix(
                "typedef struct __va_list_tag __builtin_va_list___2[1];\n\n"
                    + "typedef __builtin_va_list___2 va_list;\n\n"))
    }

    /// The padding of one small record must not fill memory.
    @Test func endlessPaddingIsRefused() throws {
        #expect(throws: BTFError.self) {
            try c { $0.structure("s", size: .max, [("c", $1.char, 0)]) }
        }
    }
}
