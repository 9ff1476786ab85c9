// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import TestSupport
import Testing

@testable import VM

@Suite struct TargetFileTests {
    private func read(_ text: String) throws -> TargetFile {
        try TargetFile(ByteView(Array(text.utf8)), path: "t.toml")
    }

    private static let sample = """
        # What we ship for.
        [[target]]
        name = "bookworm"   # Debian 12
        kernel = "6.1.0-57-cloud-amd64"
        module = ["dir/{release}/foo.ko",
                  'b"ar.ko', # last
        ]
        memory = 2048
        rebase = true
        append = "lsm=bpf \\"x\\" \\\\"\r

        [[target]]
        kernel = 'linux-image-7.2'
        test = []
        """

    @Test func sample() throws {
        let file = try read(Self.sample)
        #expect(file.targets.count == 2)
        let first = file.targets[0]
        #expect(first.name == "bookworm" && first.texts[.kernel] == ["6.1.0-57-cloud-amd64"])
        #expect(first.texts[.module] == ["dir/{release}/foo.ko", "b\"ar.ko"])
        #expect(first.numbers == [.memory: 2048] && first.truths == [.rebase: true])
        #expect(first.texts[.append] == ["lsm=bpf \"x\" \\"])
        #expect(file.targets[1].name == nil && file.targets[1].texts[.test] == [])
    }

    @Test(arguments: [
        ("", "t.toml: no [[target]] in this file"),
        ("[[target]]\n", "t.toml:1: a target without kernel ="),
        ("kernel = \"x\"\n", "t.toml:1: kernel = before the first [[target]]"),
        (
            "[[target]]\nkernel = \"x\"\nkernal = \"y\"",
            "t.toml:3: unknown key kernal; known are name, "
        ),
        ("[[target]]\nkernel = \"x\"\nkernel = \"y\"", "t.toml:3: kernel = is there twice"),
        ("[target]\n", "t.toml:1: expected [[target]]"),
        ("[[targets]]\n", "t.toml:1: unknown table [[targets]]; expected [[target]]"),
        ("[[target]]\nkernel = 6.1", "t.toml:2: a value that is not understood"),
        ("[[target]]\nkernel = 6", "t.toml:2: kernel = requires a string"),
        ("[[target]]\nkernel = [\"a\"]", "t.toml:2: kernel = requires a string"),
        ("[[target]]\nkernel = \"\"", "t.toml:2: kernel = is empty"),
        ("[[target]]\nmemory = \"1\"", "t.toml:2: memory = requires a number"),
        ("[[target]]\nmemory = -1", "t.toml:2: a value that is not understood"),
        ("[[target]]\nmemory = 99999999999", "t.toml:2: a value that is not understood"),
        ("[[target]]\nrebase = yes", "t.toml:2: a value that is not understood"),
        ("[[target]]\nrebase = 1", "t.toml:2: rebase = requires true or false"),
        ("[[target]]\nkernel = \"a\" b", "t.toml:2: more on the line"),
        ("[[target]]\nkernel = \"a", "t.toml:2: a string without an end"),
        ("[[target]]\nkernel = \"a\nb\"", "t.toml:2: a string without an end"),
        ("[[target]]\nkernel = \"\\x41\"", "t.toml:2: only "),
        ("[[target]]\nmodule = [\"a\" \"b\"]", "t.toml:2: expected a comma or ]"),
        ("[[target]]\nmodule = [1]", "t.toml:2: expected a string or ]"),
        ("[[target]]\nmodule = [\n\n\"a\",", "t.toml:4: expected a string or ]"),
        ("[[target]]\nkernel \"a\"", "t.toml:2: expected = after kernel"),
        ("[[target]]\na.b = 1", "t.toml:2: expected = after a"),
        (
            "[[target]]\nkernel=\"a\"\nname=\"n\"\n[[target]]\nkernel=\"b\"\nname=\"n\"",
            "t.toml:4: another target is named n"
        ),
    ]) func faults(_ text: String, _ words: String) {
        do {
            _ = try read(text)
            Issue.record("accepted: \(text)")
        } catch { #expect("\(error)".hasPrefix(words), "\(error)") }
    }

    @Test func damage() {
        let bytes = Array(Self.sample.utf8)
        for count in 0..<bytes.count {
            _ = try? TargetFile(ByteView(Array(bytes[..<count])), path: "t")
        }
        var random = SeededRandom(seed: 5)
        for _ in 0..<3000 {
            var bytes = bytes
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            _ = try? TargetFile(ByteView(bytes), path: "t")
        }
    }
}
