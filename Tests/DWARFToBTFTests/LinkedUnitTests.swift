// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import DWARF
import DWARFToBTF
import ELF
import Glibc
import HostIO
import TestSupport
import Testing

/// Units that refer to each other say the same as units that do not, and threads change no byte.
@Suite struct LinkedUnitTests {
    static let sources = [
        """
        struct sh { int a; struct in { long b[3]; } i; enum { X, Y } e; };
        struct only_a { struct sh *p; union { int u; char c[8]; }; };
        int fb(struct sh *s, int k);
        __attribute__((noinline)) int fa(struct only_a *o, int z) { return fb(o->p, z) + o->u; }
        int main(int c, char **v)
        { struct sh s = { c }; struct only_a o = { &s }; return fa(&o, c) + v[0][0]; }
        """,
        """
        struct sh { int a; struct in { long b[3]; } i; enum { X, Y } e; };
        struct only_b { float f; struct sh *n[2][3]; };
        struct only_b ob; int g;
        __attribute__((noinline)) int fb(struct sh *s, int k) { return s->a * k + g + (int)ob.f; }
        """,
    ]

    private func program(_ flags: String, jobs: Int = 1) throws -> [UInt8] {
        let scratch = try Scratch()
        defer { withExtendedLifetime(scratch) {} }
        let folder = scratch.path
        for (index, source) in Self.sources.enumerated() {
            try AtomicFile.replace("\(folder)/\(index).c", with: [ByteView(Array(source.utf8))])
        }
        try #require(shell("cd \(folder) && gcc -w -O2 -g \(flags) 0.c 1.c -o program"))
        let elf = try ELFFile(path: "\(folder)/program")
        var options = EncodeOptions()
        options.jobs = jobs
        return try encode(elf, DWARFData(elf), base: nil, options: options).bytes
    }

    @Test(
        .enabled(if: hasGCC),
        arguments: [
            "-fdebug-types-section -gdwarf-5", "-fdebug-types-section -gdwarf-4",
            "-fdebug-types-section -gdwarf-5 -gdwarf64",
        ])
    func typeUnits(_ flags: String) throws {
        let plain = try BTF.parse(ByteView(program("")))
        let linked = try BTF.parse(ByteView(program(flags)))
        let comparison = compare(linked, plain)
        #expect(comparison.isEqual, "\(String(decoding: comparison.text(), as: UTF8.self))")
        #expect(comparison.total.common >= 20)
    }

    @Test(.enabled(if: hasGCC)) func linkTimeOptimised() throws {
        let linked = try BTF.parse(ByteView(program("-flto")))
        for name in ["sh", "in", "only_a", "only_b"] {
            #expect(linked.ids(named: name).count == 1, "\(name)")
        }
        #expect(repeats(in: linked).isEmpty)
    }

    @Test(.enabled(if: hasGCC), arguments: [2, 3, 8])
    func sameBytesWithThreads(_ jobs: Int) throws {
        #expect(try program("", jobs: jobs) == program(""))
    }
}
