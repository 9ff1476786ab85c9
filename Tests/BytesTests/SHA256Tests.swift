// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Testing

@testable import Bytes

/// Digests that `sha256sum` prints.
@Suite struct SHA256Tests {
    private func digest(_ count: Int) -> String {
        let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: count)
        return withBytes(bytes) { sha256($0) }
            .map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
    }

    /// Lengths on both sides of where the length itself needs another block.
    @Test(arguments: [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
        (55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
        (56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"),
        (63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"),
        (64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
        (1000, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"),
    ])
    func digests(count: Int, expected: String) { #expect(digest(count) == expected) }
}
