// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import TestSupport
import Testing

@testable import VM

/// Files that guests send.
@Suite struct GuestOutputTests {
    private func read(_ lines: [String], isExpected: Bool = true) -> GuestOutput {
        var output = GuestOutput()
        for line in lines { _ = output.take(line) }
        output.end(isExpected: isExpected)
        return output
    }

    private static let sample = [
        "# file 3 352441c2 a/b", "# data YWJj", "# file 0 00000000 empty",
        "# file 6 88aa689f two lines", "# data YWJj", "# data ZGVm", "# files 3, omitted 0",
    ].map { $0.replacing("88aa689f", with: crc("abcdef")) }

    private static func crc(_ text: String) -> String {
        let digits = String(GuestOutput.checksum(Array(text.utf8)), radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    @Test func files() {
        // As gzip and zlib have it.
        #expect(GuestOutput.checksum(Array("123456789".utf8)) == 0xcbf4_3926)
        let output = read(Self.sample)
        #expect(output.faults == [], "\(output.faults)")
        #expect(output.files.map(\.path) == ["a/b", "empty", "two lines"])
        #expect(
            output.files.map { String(decoding: $0.bytes, as: UTF8.self) } == ["abc", "", "abcdef"])
    }

    @Test(arguments: [
        ("# file 3 352441c2 ../x", "../x: a path that leads out"),
        ("# file 3 352441c2 /etc/x", "/etc/x: a path that leads out"),
        ("# file 3 352441c2 a//x", "a//x: a path that leads out"),
        ("# file 3 352441c2 ", ": a path that leads out"), ("# file 3 352441c2", "a file without"),
        ("# file -3 352441c2 x", "a file without"), ("# file 3 xyz x", "a file without"),
        ("# file 4 352441c2 x", "x: damaged on its way"), ("# file 2 352441c2 x", "x: damaged"),
        ("# file 3 352441c3 x", "x: damaged on its way"), ("# omitted big", "big: too large"),
    ]) func faults(_ line: String, _ words: String) {
        let output = read([line, "# data YWJj", "# files 1, omitted 0"])
        #expect(output.files == [] && output.faults.first?.hasPrefix(words) == true, "\(output)")
    }

    @Test func cutOff() {
        for count in 0..<Self.sample.count {
            let output = read(Array(Self.sample[..<count]))
            #expect(output.faults.last == "the guest ended before it had sent all files")
        }
        #expect(read([], isExpected: false).faults == [])
    }

    @Test func twice() {
        let output = read(
            ["# file 0 00000000 x", "# file 3 352441c2 x", "# data YWJj", "# files 2, omitted 0"])
        #expect(output.files.count == 1 && output.faults == ["x: it was sent twice"])
    }

    @Test(arguments: ["YWJ", "YW=j", "Y===", "YWJj!", "=YWJ", "YQ==YQ=="]) func base64(
        _ text: String
    ) { #expect(GuestOutput.decoded(text[...]) == nil) }

    @Test func base64Values() {
        let table: [(String, [UInt8])] = [
            ("", []), ("YQ==", [97]), ("YWI=", [97, 98]), ("+/+/", [0xfb, 0xff, 0xbf]),
        ]
        for (text, bytes) in table {
            #expect(GuestOutput.decoded(text[...]) == bytes)
        }
    }

    /// Its lines are no results, and no evidence.
    @Test func record() {
        var record = GuestRecord(hasOwnInit: true, sendsFiles: true)
        for line in ["KTAP version 1", "1..1", "ok 1 a"] + Self.sample + ["# end"] {
            record.take(.line("[    1.0] kbtf: " + line))
            record.take(.guest(line))
        }
        let report = record.report(
            cut: nil, ending: .exited(0), milliseconds: 1, acceleration: .tcg)
        #expect(report.outcome == .passed && report.output.files.count == 3, "\(report)")
    }
}
