// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import Synchronization

/// A command of kbtf that runs within another one, which says itself what came of it.
struct QuietRun {
    let status: Int32
    /// Its first message, without the program's name; nil if there was none.
    let message: String?
    let hint: String?

    /// - Parameter words: the command line without the program.
    init(_ words: [String], _ surroundings: Surroundings) {
        let errors = Lines()
        let quiet = surroundings.speaking(
            output: Stream(writer: { _ in }), errors: Stream(writer: { errors.add($0) }))
        status = Program.run(["kbtf"] + words, in: quiet)
        let lines = errors.text.split(separator: "\n")
        func line(after prefix: String) -> String? {
            lines.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
        }
        message = line(after: "kbtf: ") ?? lines.first.map(String.init)
        hint = line(after: "hint: ")
    }

    private final class Lines: Sendable {
        private let storage = Mutex<[UInt8]>([])

        func add(_ bytes: [UInt8]) { storage.withLock { $0 += bytes } }

        var text: String { String(decoding: storage.withLock { $0 }, as: UTF8.self) }
    }
}
