// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Testing

@testable import Console

@Suite struct UsageMessageTests {
    @Test func onOneLine() {
        #expect(usageMessage("Missing it\n\nReally", []) == "missing it Really")
        #expect(
            usageMessage("Unknown option '--a\nb'", ["--a\nb"]) == #"unknown option '--a\x0ab'"#)
        #expect(
            usageMessage("unknown feature 'x\ny';\nthere are", ["--features=var,x\ny"])
                == #"unknown feature 'x\x0ay'; there are"#)
    }
}
