// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// Names for a temporary file or directory beside the one it will replace: `.NAME.kbtf-XXXXXXXX` in
/// the same directory. There are so many that the next one is free, unless somebody deliberately
/// occupies them all.
struct TemporaryNames: Sequence, IteratorProtocol {
    private let start: String
    private var left = 100
    private var generator = SystemRandomNumberGenerator()

    init(beside target: String) {
        let folder = AtomicFile.folder(of: target)
        // A name may have 255 bytes: leave room for the suffix.
        let base = String(
            systemBytes: Array(
                target.systemBytes.dropFirst(folder.systemBytes.count).prefix(200)))
        start = "\(folder).\(base).kbtf-"
    }

    mutating func next() -> String? {
        guard left > 0 else { return nil }
        left -= 1
        let random = UInt64.random(in: (1 << 32)..<(1 << 33), using: &generator)
        return start + String(random, radix: 16).dropFirst()
    }
}
