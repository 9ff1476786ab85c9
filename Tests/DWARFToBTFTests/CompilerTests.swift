// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// C as compilers describe it.
@Suite(.enabled(if: hasGCC || hasClang)) struct CompilerTests {
    /// Those that are installed, in the versions of DWARF that kernels use.
    static let compilers: [String] =
        (hasGCC
            ? ["gcc -gdwarf-4", "gcc -gdwarf-5", "gcc -gdwarf-5 -gdwarf64", "gcc -gdwarf-5 -gz"]
            : [])
        + (hasClang
            ? [
                "clang-16 -gdwarf-4", "clang-16 -gdwarf-5",
                "clang-16 -gdwarf-5 --target=aarch64-linux-gnu",
                "clang-16 -gdwarf-4 --target=s390x-linux-gnu",
                "clang-16 -gdwarf-5 --target=s390x-linux-gnu",
            ] : [])

    static let types = """
        struct list { struct list *next, *prev; };
        struct undefined;
        enum color { RED, GREEN = 5, BLUE };
        enum negative { MINUS = -3, PLUS = 3 };
        enum big { HUGE = 0x123456789abcdef0ULL };
        enum __attribute__((packed)) tiny { LITTLE };
        typedef unsigned long size;
        typedef int (*handler)(struct list *, const char *, ...);
        struct everything {
            struct list list;
            unsigned int a : 3, b : 5;
            unsigned long long wide : 40;
            _Bool flag;
            char name[16];
            int matrix[2][3];
            const volatile int *const *pointers;
            handler handler;
            union { int i; float f; struct { short lo, hi; }; };
            struct undefined *opaque;
            enum color color; enum negative negative; enum big big; enum tiny tiny;
            _Atomic int counter;
            size size;
            double d;
            __int128 huge;
            int flexible[];
        };
        struct everything *user(struct everything *e) { return e; }
        """

    @Test(arguments: compilers) func everyKind(_ compiler: String) throws {
        let outcome = try compiled([Self.types], with: compiler)
        let members = outcome.line("everything")
        for part in [
            "list: struct list @0;", "a: unsigned int @128:3;", "b: unsigned int @131:5;",
            "flag: _Bool @", "name: [16", "handler: handler @",
            ": union size 4 { i: int @0; f: float @0; : struct size 4 { lo: short", "hi: short",
            "opaque: *forward undefined @", "color: enum color @", "big: enum64 big @",
            "tiny: enum tiny @", "counter: int @", "size: size @", "d: double @",
            "huge: __int128 @",
            "flexible: [0",
        ] {
            #expect(members.contains(part), "\(part) in \(members)")
        }
        // Compilers call one integer by several names, and order qualifiers as they like.
        #expect(
            members.contains("wide: unsigned long long @")
                != members.contains("wide: long long unsigned int @"))
        #expect(members.contains(" @136:40;"))
        #expect(
            members.contains("pointers: *const *const volatile int @")
                != members.contains("pointers: *const *volatile const int @"))
        #expect(members.contains("matrix: [2"))
        #expect(outcome.line("color") == "enum color: size 4 { RED = 0; GREEN = 5; BLUE = 6 }")
        #expect(outcome.line("negative") == "enum negative: size 4 signed { MINUS = -3; PLUS = 3 }")
        #expect(outcome.line("big") == "enum64 big: size 8 { HUGE = 1311768467463790320 }")
        #expect(outcome.line("tiny") == "enum tiny: size 1 { LITTLE = 0 }")
        #expect(
            outcome.line("handler")
                == "typedef handler: *(: *struct list, : *const char, ...) -> int")
        #expect(
            outcome.line("list")
                == "struct list: size 16 { next: *struct list @0; prev: *struct list @64 }")
        #expect(outcome.line("undefined") == "forward struct undefined")
        #expect(outcome.line("user") == "func user: (e: *struct everything) -> *struct everything")
        #expect(outcome.ledger.isEmpty, "\(outcome.ledger)")
    }

    /// The same source, compiled in all these ways, means the same.
    @Test func compilersAgree() throws {
        let native = Self.compilers.filter { !$0.contains("--target") }
        let outcomes = try native.map { try compiled([Self.types], with: $0) }
        let names = ["list", "color", "negative", "big", "tiny", "handler", "user"]
        for (compiler, outcome) in zip(native, outcomes) {
            for name in names {
                #expect(outcome.line(name) == outcomes[0].line(name), "\(compiler)")
            }
        }
    }

    @Test(arguments: compilers.filter { !$0.contains("--target") })
    func functions(_ compiler: String) throws {
        let source = """
            struct s { int x; }; extern int declared(int);
            static inline int folded(int folded_parameter) { return folded_parameter * 3; }
            __attribute__((noinline)) static int kept(struct s *s, int unused) { return s->x; }
            int variadic(const char *format, ...) { return folded(format[0]); }
            int nested(int a) { struct local { int y; } l = { a }; return l.y + declared(a); }
            int caller(struct s *s) { return kept(s, 5) + kept(s + 1, 6); }
            void nothing(void) {}
            """
        let outcome = try compiled([source], with: compiler + " -O2", features: .standard)
        #expect(outcome.line("variadic") == "func variadic: (format: *const char, ...) -> int")
        #expect(outcome.line("nothing") == "func nothing: () -> void")
        #expect(outcome.line("caller") == "func caller: (s: *struct s) -> int")
        #expect(outcome.line("local") == "struct local: size 4 { y: int @0 }")
        #expect(outcome.line("declared") == "")
        #expect(outcome.line("folded") == "")
        #expect(outcome.ledger.contains("folded: no-symbol"))
        // `unused` goes away: gcc says so in the symbol's name, clang leaves it as it is.
        let kept = outcome.line("kept")
        #expect(
            ["", "func kept: (s: *struct s, unused: int) -> int"].contains(kept), "\(kept)")
    }

    /// Several units: types once, statics with the same name not at all, statics of one meaning not
    /// either.
    @Test(arguments: compilers.filter { !$0.contains("--target") })
    func severalUnits(_ compiler: String) throws {
        let header = "struct shared { struct shared *next; int v; };\n"
        let outcome = try compiled(
            [
                header
                    + "struct user *u; static __attribute__((noinline,used)) int same(int a) { return a; }"
                    + " int first(struct shared *s) { return same(s->v); }",
                header
                    + "struct user { struct shared s; }; static __attribute__((noinline,used)) int same(int a)"
                    + " { return a + 1; } int second(struct user *u) { return same(u->s.v); }",
            ], with: compiler + " -O1", features: .standard)
        #expect(
            outcome.line("shared")
                == "struct shared: size 16 { next: *struct shared @0; v: int @64 }")
        #expect(outcome.line("user") == "struct user: size 16 { s: struct shared @0 }")
        #expect(outcome.line("first") != "" && outcome.line("second") != "")
        #expect(outcome.line("same") == "")
        #expect(outcome.ledger.contains("same: ambiguous-address"))
        #expect(outcome.count(.fwd) == 0)
    }

    @Test(arguments: compilers) func perCPUVariables(_ compiler: String) throws {
        let section = "__attribute__((section(\".data..percpu\")))"
        let outcome = try compiled(
            [
                """
                \(section) int counter = 1; static \(section) long hidden[4] = { 1 }; extern int other;
                \(section) struct { int a, b; } pair = { 1, 2 }; int outside = 3;
                long *use(void) { return &hidden[other]; }
                """
            ], with: compiler)
        #expect(outcome.line("counter") == "var counter global: int")
        #expect(outcome.line("hidden").hasPrefix("var hidden: [4"))
        #expect(outcome.line("pair") == "var pair global: struct size 8 { a: int @0; b: int @32 }")
        #expect(outcome.line("outside") == "")
        #expect(outcome.line(".data..percpu").contains("hidden @"))
        #expect(outcome.line(".data..percpu").contains(" 32"))
    }

    /// clang does not describe an alias at all, gcc without a place.
    @Test(arguments: compilers.filter { !$0.contains("--target") })
    func aliasOfPerCPU(_ compiler: String) throws {
        let source = """
            __attribute__((section(".data..percpu"))) int own;
            extern int other __attribute__((alias("own"))); int f(void) { return own; }
            """
        let outcome = try compiled([source], with: compiler)
        #expect(outcome.line(".data..percpu") == "section .data..percpu: size 4 { own @0 4 }")
        #expect(outcome.ledger == ["other: no-debug-information"], "\(outcome.ledger)")
    }

    /// Type units are in sections of their own in relocatable files, one for each.
    @Test(.enabled(if: hasGCC), arguments: ["gcc -gdwarf-4", "gcc -gdwarf-5"])
    func typeUnits(_ compiler: String) throws {
        let shared = "struct shared { struct shared *next; enum kind { A, B = -1 } kind; };\n"
        let sources = [
            shared
                + "struct own { struct shared s; int x : 3; }; int f(struct own *o) { return o->x; }",
            shared
                + "union other { struct shared *s; long l; }; long g(union other *u) { return u->l; }",
        ]
        for count in 1...2 {
            let used = Array(sources.prefix(count))
            let plain = try compiled(used, with: compiler, features: .standard)
            let split = try compiled(
                used, with: compiler + " -fdebug-types-section", features: .standard)
            #expect(Set(split.lines) == Set(plain.lines))
            #expect(split.line("f") == "func f: (o: *struct own) -> int")
            #expect(split.ledger == plain.ledger)
        }
    }

    /// Without types and prototypes, functions would be told to take no arguments.
    @Test func lineTablesOnly() throws {
        let source = "int f(int a) { return a; } int *p; int g(long b) { return f(b) + *p; }"
        for compiler in (hasGCC ? ["gcc -g1"] : []) + (hasClang ? ["clang-16 -g1"] : []) {
            let outcome = try compiled([source], with: compiler, features: .standard)
            #expect(outcome.count == 0, "\(compiler): \(outcome.lines)")
            #expect(outcome.ledger == ["0.c: line-tables-only"])
            let mixed = try compiled(
                ["int f(int a) { return a; }"], with: compiler + " -g2", features: .standard)
            #expect(mixed.line("f") == "func f: (a: int) -> int")
        }
    }

    @Test(.enabled(if: hasClang), arguments: ["-gdwarf-4", "-gdwarf-5"])
    func tags(_ version: String) throws {
        let source = """
            #define tag(x) __attribute__((btf_type_tag(#x)))
            #define decl(x) __attribute__((btf_decl_tag(#x)))
            struct decl(whole) s { int tag(user) *p; int plain decl(member); int tag(a) tag(b) *two; };
            typedef int t decl(type);
            int decl(function) f(struct s *s, t x decl(parameter)) { return s->plain + x; }
            """
        let outcome = try compiled([source], with: "clang-16 " + version)
        #expect(
            outcome.line("s")
                == "struct s: size 24 { p: *tag(user) int @0; plain: int @64; two: *tag(b) tag(a) int @128 }"
        )
        #expect(
            Set(outcome.lines.filter { $0.hasPrefix("tag") }) == [
                "tag whole: struct s", "tag member: struct s part 1", "tag type: t",
                "tag function: func f", "tag parameter: func f part 1",
            ])
    }

    /// A clone without a parameter is recorded under the function's name, or omitted with a reason.
    @Test(.enabled(if: hasGCC)) func clones() throws {
        let source = """
            struct s { int a, b; };
            static __attribute__((noinline)) int isra(struct s *s) { return s->a; }
            static __attribute__((noinline)) int constant(int x, int y) { return x * y + x; }
            int one(struct s *s) { return isra(s) + isra(s + 1); }
            int two(int x) { return constant(x, 7) + constant(x + 1, 7); }
            """
        let outcome = try compiled([source], with: "gcc -gdwarf-5 -O2", features: .standard)
        for name in ["isra", "constant"] {
            let isTold = outcome.line(name) != ""
            let isNoted = outcome.ledger.contains { $0.hasPrefix(name + ":") }
            #expect(isTold != isNoted, "\(name): \(outcome.line(name)) \(outcome.ledger)")
        }
        #expect(outcome.line("one") != "" && outcome.line("two") != "")
    }
}
