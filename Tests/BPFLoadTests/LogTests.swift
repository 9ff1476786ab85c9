// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFLoad
import CBpf
import Glibc
import HostIO
import TestSupport
import Testing

/// What libbpf says is collected, not printed.
@Suite struct LogTests {
    /// Has libbpf warn of a file that does not exist.
    private static func warn() { _ = bpf_object__open_file("/nowhere/x.o", nil) }

    @Test func collected() {
        var lines = ["before"]
        let value = LibBPFLog.collecting(into: &lines) { () -> Int in
            Self.warn()
            Self.warn()
            return 7
        }
        #expect(value == 7)
        #expect(lines.count == 3 && lines[0] == "before")
        #expect(lines[1].contains("/nowhere/x.o") && !lines[1].hasPrefix("libbpf"))
        #expect(lines[1] == lines[2])
    }

    @Test func whenItThrows() {
        struct Stop: Error {}
        var lines: [String] = []
        #expect(throws: Stop.self) {
            try LibBPFLog.collecting(into: &lines) { () throws(Stop) in
                Self.warn()
                throw Stop()
            }
        }
        #expect(lines.count == 1)
        LibBPFLog.collecting(into: &lines) {}
        #expect(lines.count == 1)
    }

    @Test func bounded() {
        var lines: [String] = []
        LibBPFLog.collecting(into: &lines) { for _ in 0..<300 { Self.warn() } }
        #expect(lines.count == 257 && lines[256] == "and 44 more lines")
    }

    /// Each thread gets its own lines.
    @Test func threads() async {
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<8 {
                group.addTask {
                    var lines: [String] = []
                    let path = "/nowhere/\(number).o"
                    LibBPFLog.collecting(into: &lines) {
                        for _ in 0..<20 { _ = bpf_object__open_file(path, nil) }
                    }
                    return lines.count == 20 && lines.allSatisfy { $0.contains(path) }
                }
            }
            for await isOwn in group { #expect(isOwn) }
        }
    }
}
