// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Testing

@testable import CEmit

struct CWriterTests {
    @Test func scopesIndentByTabs() {
        var c = CWriter()
        c.function("static int", "f(void)") { c in
            c.scope("if (g())") { c in
                c.line("return 1;")
                c.directive("#endif")
            }
            c.line()
            c.line("return 0;")
        }
        c.scope("struct s", tail: " *p;") { $0.lines(["int a;", "int b;"]) }
        #expect(
            c.text == """
                static int
                f(void)
                {
                \tif (g()) {
                \t\treturn 1;
                #endif
                \t}

                \treturn 0;
                }

                struct s {
                \tint a;
                \tint b;
                } *p;

                """)
    }

    @Test func blobsHaveSixteenBytesALine() {
        var c = CWriter()
        c.blob("b", [0, 1, 0x31, 0xff] + Array(repeating: 0, count: 12) + [8])
        #expect(
            c.text == #"""
                static const char b[18] __attribute__((__aligned__(8))) =
                \#t"\0\x01\x31\xff\0\0\0\0\0\0\0\0\0\0\0\0"
                \#t"\x08";

                """#)
    }

    @Test func zerosAtTheEndAreTheCompilersTask() {
        for (bytes, expected) in [
            ([], "b[1]"), ([0, 0, 0], "b[4]"), (Array(repeating: 0, count: 4096), "b[4097]"),
        ] as [([UInt8], String)] {
            var c = CWriter()
            c.blob("b", bytes)
            #expect(
                c.text
                    == "static const char \(expected) __attribute__((__aligned__(8))) =\n\t\"\";\n")
        }
        var c = CWriter()
        c.blob("b", Array(repeating: 1, count: 16) + [2, 0])
        #expect(c.text.hasPrefix("static const char b[19] "))
        #expect(c.text.hasSuffix("\n\t\"\\x02\";\n"))
    }
}
