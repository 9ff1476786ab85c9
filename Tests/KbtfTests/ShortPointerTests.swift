// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import TestSupport
import Testing

/// Files of 32-bit machines. BTF that has a `long` shows that pointers have four bytes, other BTF
/// does not: the file does.
@Suite(.enabled(if: Sample.hasCompiler)) struct ShortPointerTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// - Returns: an object for i386 with BTF.
    private func object(_ name: String, _ source: String) throws -> String {
        let file = try Sample.compile(
            scratch, name, source: source, options: "-m32 -g -O1 -ffreestanding")
        let encoded = try Command.kbtf("encode", "-q", "--standalone", file)
        try #require(encoded.status == 0, "\(encoded)")
        return file
    }

    private func list(_ first: String) -> String {
        """
        struct list { \(first) x; struct list *next; struct list *all[2]; };
        int f(struct list *l) { return l->x; }
        """
    }

    @Test(arguments: ["int", "long"]) func sound(_ first: String) throws {
        let file = try object("a.o", list(first))
        let checked = try Command.kbtf("check", file)
        #expect(checked.status == 0 && checked.err == "", "\(checked)")
        let info = try Command.kbtf("info", file)
        #expect(info.status == 0 && info.text.contains("sound"), "\(info)")
        let dump = try Command.kbtf("dump", "--format", "c", file)
        #expect(
            dump.text.contains(
                "struct list {\n\t\(first == "long" ? "long int" : first) x;\n"
                    + "\tstruct list *next;\n\tstruct list *all[2];\n};"),
            "\(dump)")
    }

    /// Its own kernel has short pointers as well.
    @Test(arguments: ["int", "long"], ["6.1", "6.12", "7.2"])
    func loads(_ first: String, _ target: String) throws {
        let file = try object("a.o", list(first))
        let checked = try Command.kbtf("check", "--target", target, file)
        #expect(checked.status == 0, "\(checked)")
        #expect(!checked.text.contains("EINVAL") && !checked.err.contains("R13"), "\(checked)")
    }

    /// Floating-point numbers of eight bytes need no more than four for their alignment.
    @Test func floats() throws {
        let file = try object(
            "a.o", "struct s { int x; double d; }; int f(struct s *s) { return s->x; }")
        #expect(try Command.kbtf("check", file).status == 0)
        let checked = try Command.kbtf("check", "--target", "6.12", file)
        #expect(checked.status == 0 && !checked.text.contains("R16"), "\(checked)")
    }

    @Test func layout() throws {
        let file = try object("a.o", list("int"))
        let shown = try Command.kbtf("dump", "--layout", file, "list")
        #expect(shown.text.contains("/* size: 16,") && !shown.text.contains("hole"), "\(shown)")
    }

    @Test func difference() throws {
        let file = try object("a.o", list("int"))
        let other = try object(
            "b.o",
            "struct list { int x, more; struct list *next, *all[2]; };"
                + " int f(struct list *l) { return l->x; }")
        let shown = try Command.kbtf("diff", file, other)
        #expect(shown.text.contains("next, all: 4 -> 8, moved by 4 bytes"), "\(shown)")
    }
}
