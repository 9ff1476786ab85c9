// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import TestSupport
import Testing

@Suite struct DumpCTests {
    /// The C of a whole file in id order, without the frame.
    private func c(_ build: (inout BTFAssembler) -> Void) throws -> String {
        var asm = BTFAssembler()
        build(&asm)
        return try text(
            try asm.parse(), .c, nil, COptions(order: .byID, frame: false, isLikeBpftool: true))
    }

    /// One member's declaration.
    private func member(_ build: (inout BTFAssembler, UInt32) -> UInt32) throws -> String {
        let all = try c { asm in
            let int = asm.int()
            let type = build(&asm, int)
            asm.structure("s", size: 0, [("m", type, 0)])
        }
        return String(all.split(separator: "\n").last { $0.hasPrefix("\t") } ?? "")
    }

    @Test func declarators() throws {
        #expect(try member { $0.pointer($1) } == "\tint *m;")
        #expect(try member { asm, _ in asm.pointer(asm.pointer(0)) } == "\tvoid **m;")
        #expect(try member { $0.array($1, index: $1, 3) } == "\tint m[3];")
        #expect(
            try member { $0.array($0.array($1, index: $1, 3), index: $1, 4) } == "\tint m[4][3];")
        #expect(try member { $0.pointer($0.array($1, index: $1, 3)) } == "\tint (*m)[3];")
        #expect(try member { $0.array($0.pointer($1), index: $1, 3) } == "\tint *m[3];")
        #expect(try member { $0.pointer($0.wrap(.const, $1)) } == "\tconst int *m;")
        #expect(try member { $0.wrap(.const, $0.pointer($1)) } == "\tint * const m;")
        #expect(
            try member { $0.wrap(.restrict, $0.pointer($0.wrap(.volatile, $0.wrap(.const, $1)))) }
                == "\tconst volatile int * restrict m;")
        // Compilers qualify arrays; C does not.
        #expect(
            try member { $0.wrap(.const, $0.array($1, index: $1, 3)) } == "\tint m[3];")
    }

    @Test func functionDeclarators() throws {
        #expect(try member { asm, _ in asm.pointer(asm.prototype()) } == "\tvoid (*m)(void);")
        #expect(
            try member { $0.pointer($0.prototype(returns: $1, [("a", $1), ("", 0)])) }
                == "\tint (*m)(int a, ...);")
        #expect(
            try member { $0.pointer($0.prototype(returns: $0.pointer($0.prototype()), [("", $1)])) }
                == "\tvoid (* (*m)(int))(void);")
        #expect(
            try member { $0.array($0.pointer($0.prototype()), index: $1, 2) }
                == "\tvoid (*m[2])(void);")
    }

    @Test func typeTags() throws {
        #expect(
            try member { $0.pointer($0.typeTag("user", $1)) }
                == "\tint __attribute__((btf_type_tag(\"user\"))) *m;")
        #expect(
            try member { $0.pointer($0.typeTag("noderef", $1, flag: true)) }
                == "\tint __attribute__((noderef)) *m;")
        // bpftool 7.8 writes `intconst` here.
        #expect(
            try member { $0.pointer($0.wrap(.const, $0.typeTag("user", $1))) }
                == "\tint __attribute__((btf_type_tag(\"user\"))) const *m;")
    }

    @Test func definitionsComeAfterWhatTheyContain() throws {
        let text = try c { asm in
            // outer { inner by value; outer * }, before inner and its typedef
            asm.structure("outer", size: 16, [("i", 2, 0), ("next", 4, 64)])
            asm.typedef("inner_t", 3)
            asm.structure("inner", size: 8, [("back", 4, 0)])
            asm.pointer(1)
        }
        #expect(
            text == """
                struct outer;

                struct inner {
                \tstruct outer *back;
                };

                typedef struct inner inner_t;

                struct outer {
                \tinner_t i;
                \tstruct outer *next;
                };


                """)
    }

    @Test func anonymousTypesAreWrittenInPlace() throws {
        let text = try c { asm in
            let int = asm.int()
            let union = asm.structure(size: 4, union: true, [("a", int, 0), ("b", int, 0)])
            let mode = asm.enumeration("", [("ON", 1)])
            asm.structure("s", size: 8, [("", union, 0), ("mode", mode, 32)])
            asm.enumeration("", [("ALONE", -1)])
        }
        #expect(
            text == """
                struct s {
                \tunion {
                \t\tint a;
                \t\tint b;
                \t};
                \tenum {
                \t\tON = 1,
                \t} mode;
                };

                enum {
                \tALONE = 4294967295,
                };


                """)
    }

    @Test func enums() throws {
        let text = try c { asm in
            asm.enumeration("byte", size: 1, signed: true, [("A", -1)])
            asm.enumeration("word", size: 8, [("B", 1)])
            asm.enumeration64("wide", [("C", 1 << 40)])
            asm.enumeration64("narrow", signed: true, [("D", 7)])
            asm.enumeration("later", [])
        }
        #expect(
            text == """
                enum byte {
                \tA = -1,
                } __attribute__((mode(byte)));

                enum word {
                \tB = 1,
                } __attribute__((mode(word)));

                enum wide {
                \tC = 1099511627776ULL,
                };

                enum narrow {
                \tD = 7LL,
                } __attribute__((mode(word)));

                enum later;


                """)
    }

    @Test func namesThatAreTaken() throws {
        let text = try c { asm in
            let int = asm.int()
            asm.structure("n", size: 4, [("a", int, 0)])
            asm.structure("n", size: 0, [])
            asm.typedef("n", int)
            asm.typedef("n", 0)
            asm.enumeration("n", [("n", 1)])
            asm.forward("n")
        }
        #expect(
            text == """
                struct n {
                \tint a;
                };

                struct n___2 {};

                typedef int n;

                typedef void n___2;

                enum n___3 {
                \tn___3 = 1,
                };

                struct n;


                """)
    }

    @Test func paddingAndPacking() throws {
        let text = try c { asm in
            let char = asm.int("char", size: 1)
            let int = asm.int()
            let long = asm.int("long int", size: 8)
            asm.structure("gap", size: 24, [("c", char, 0), ("i", int, 128)])
            asm.structure("packed", size: 9, [("c", char, 0), ("l", long, 8)])
            asm.bitfields(
                "bits", size: 8,
                [("a", int, 0, 3), ("b", int, 5, 3), ("c", int, 32, 5), ("d", int, 48, 2)])
            asm.structure("tail", size: 16, [("i", int, 0)])
        }
        #expect(
            text == """
                struct gap {
                \tchar c;
                \tlong: 64;
                \tint i;
                \tlong: 0;
                };

                struct packed {
                \tchar c;
                \tlong int l;
                } __attribute__((packed));

                struct bits {
                \tint a: 3;
                \tchar: 2;
                \tint b: 3;
                \tint: 24;
                \tint c: 5;
                \tshort: 11;
                \tint d: 2;
                };

                struct tail {
                \tint i;
                \tlong: 64;
                };


                """)
    }

    @Test func selectionTakesWhatItNeedsAndNoMore() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let used = asm.structure("used", size: 4, [("a", int, 0)])
        let pointed = asm.structure("pointed", size: 4, [("a", int, 0)])
        let pointer = asm.pointer(pointed)
        let user = asm.structure("user", size: 16, [("u", used, 0), ("p", pointer, 64)])
        asm.structure("other", size: 4, [("a", int, 0)])
        let proto = asm.prototype(returns: int, [("p", pointer), ("u", used)])
        let function = asm.function("f", proto)
        let btf = try asm.parse()
        #expect(
            try text(btf, .c, [TypeID(user)]) == """
                struct used {
                \tint a;
                };

                struct pointed;

                struct user {
                \tstruct used u;
                \tstruct pointed *p;
                };


                """)
        #expect(
            try text(btf, .c, [TypeID(function)]) == """
                struct used {
                \tint a;
                };

                struct pointed;

                extern int f(struct pointed *p, struct used u);


                """)
    }

    @Test func sortedOrderDoesNotDependOnIDs() throws {
        func file(_ order: [Int]) throws -> String {
            var asm = BTFAssembler()
            let int = asm.int()
            for index in order {
                switch index {
                case 0: asm.structure("a", size: 4, [("x", int, 0)])
                case 1: asm.structure("b", size: 4, [("x", int, 0)])
                case 2: asm.enumeration("e", [("E", 1)])
                case 3: asm.typedef("t", int)
                default: asm.enumeration("", [("ANON", 1)])
                }
            }
            return try text(try asm.parse(), .c)
        }
        let expected = try file([0, 1, 2, 3, 4])
        #expect(try file([4, 3, 2, 1, 0]) == expected)
        #expect(try file([2, 0, 4, 1, 3]) == expected)
        let order = ["ANON", "enum e", "typedef int t", "struct a", "struct b"]
        let places = order.compactMap { expected.firstRange(of: $0)?.lowerBound }
        #expect(places.count == order.count && places == places.sorted())
    }

    /// bpftool 7.5 and later leave out the first of the order, see `sortedLikeBpftool`.
    @Test func theFirstEnumIsOnlyMissedAsBpftoolMissesIt() throws {
        var asm = BTFAssembler()
        asm.int()
        for name in ["B", "A"] { asm.enumeration("", [(name, 1)]) }
        let btf = try asm.parse()
        func enums(_ isLikeBpftool: Bool) throws -> [String] {
            try text(btf, .c, nil, COptions(frame: false, isLikeBpftool: isLikeBpftool))
                .split(separator: "\n").filter { $0.hasPrefix("\t") }.map(String.init)
        }
        #expect(try enums(false) == ["\tA = 1,", "\tB = 1,"])
        #expect(try enums(true) == ["\tB = 1,"])
    }

    /// Types without a name bring what nothing else leads to, and no others.
    @Test func whatOnlyTypesWithoutANameLeadTo() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let known = asm.structure("known", size: 4, [("x", int, 0)])
        asm.pointer(asm.pointer(known))
        asm.pointer(asm.forward("behind"))
        let callback = asm.prototype(returns: 0, [("c", asm.pointer(asm.forward("callback")))])
        asm.prototype(returns: 0, [("f", asm.pointer(callback))])
        asm.prototype(returns: known, [("k", asm.pointer(known))])
        asm.structure(size: 8, [("t", asm.pointer(asm.typedef("inner", 0)), 0)])
        for isLikeBpftool in [false, true] {
            let all = try text(
                try asm.parse(), .c, nil, COptions(frame: false, isLikeBpftool: isLikeBpftool))
            #expect(
                all.split(separator: "\n") == [
                    "struct known {", "\tint x;", "};", "struct callback;", "typedef void inner;",
                    "struct behind;",
                ])
        }
        // One that takes itself.
        asm.prototype(returns: int, [("self", asm.pointer(asm.nextID + 1))])
        #expect(throws: BTFError.self) { try text(try asm.parse(), .c) }
    }

    /// What bpftool leaves out is written for a type without a name that needs it.
    @Test func theFirstTypeMayBeNeeded() throws {
        var asm = BTFAssembler()
        asm.wrap(.const, asm.structure("only", size: 0, []))
        let btf = try asm.parse()
        for isLikeBpftool in [false, true] {
            let options = COptions(frame: false, isLikeBpftool: isLikeBpftool)
            #expect(try text(btf, .c, nil, options) == "struct only {};\n\n")
        }
    }

    @Test func kfuncsAreDeclared() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let proto = asm.prototype(returns: int, [("x", int)])
        let late = asm.function("z_kfunc", proto)
        let early = asm.function("a_kfunc", proto)
        asm.function("no_kfunc", proto)
        asm.declTag("bpf_kfunc", late)
        asm.declTag("bpf_kfunc", early)
        asm.declTag("bpf_fastcall", early)
        let all = try text(try asm.parse(), .c)
        #expect(all.hasPrefix("#ifndef __VMLINUX_H__\n"))
        #expect(
            all.contains(
                """
                #ifndef BPF_NO_KFUNC_PROTOTYPES
                extern __bpf_fastcall int a_kfunc(int x) __weak __ksym;
                extern int z_kfunc(int x) __weak __ksym;
                #endif
                """))
        #expect(!all.contains("no_kfunc"))
    }

    @Test func splitWithAndWithoutItsBase() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let needed = asm.structure("needed", size: 4, [("a", int, 0)])
        asm.structure("unneeded", size: 4, [("a", int, 0)])
        var split = BTFAssembler(base: try asm.parse())
        split.structure("own", size: 4, [("n", needed, 0)])
        let btf = try split.parse()
        let own = try text(btf, .c, nil, COptions(includesBase: false, frame: false))
        #expect(own.contains("struct needed {") && !own.contains("unneeded"))
        #expect(try text(btf, .c).contains("struct unneeded {"))
    }
}
