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
        c.blob("b", [0, 1, 0x31, 0xff] + Array(repeating: 0, count: 13))
        #expect(
            c.text == #"""
                static const char b[] __attribute__((__aligned__(8))) =
                \#t"\0\x01\x31\xff\0\0\0\0\0\0\0\0\0\0\0\0"
                \#t"\0";

                """#)
    }

    @Test func emptyBlobIsEmptyString() {
        var c = CWriter()
        c.blob("b", [])
        #expect(c.text.hasSuffix("=\n\t\"\";\n"))
    }
}
