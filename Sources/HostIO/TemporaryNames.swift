// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// Names for what is made beside a file or a folder before it takes its place: `.NAME.kbtf-XXXXXXXX` in the
/// same folder. So many that the next one is free, unless somebody sees to it that none is.
struct TemporaryNames: Sequence, IteratorProtocol {
    private let start: String
    private var left = 100
    private var generator = SystemRandomNumberGenerator()

    init(beside target: String) {
        let folder = AtomicFile.folder(of: target)
        // A name may have 255 bytes: keep room for what is added.
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
