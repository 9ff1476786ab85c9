// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CBpf
import Glibc
import Synchronization

/// libbpf's messages. It has one print callback for the whole process, so whoever collects them has
/// libbpf exclusively meanwhile.
package enum LibBPFLog {
    /// Lines kept per call; a hostile object can make libbpf complain forever.
    private static let limit = 256

    private static let turn = Mutex(())
    private static let heard = Mutex(Heard())

    private struct Heard {
        var lines: [String] = []
        var lost = 0
    }

    /// Runs `body` and appends libbpf's warnings to `warnings`, one line each without the prefix
    /// "libbpf: ", even if `body` throws. Other messages are dropped, and nothing is printed. Other
    /// threads wait; calls must not nest.
    package static func collecting<Value, Failure: Error>(
        into warnings: inout [String], _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        // A value that is not Sendable may not leave the lock through `return`.
        var result: Result<Value, Failure>?
        var lines: [String] = []
        turn.withLock { _ in
            heard.withLock { $0 = Heard() }
            // SAFETY: the callback reads its arguments during the call only.
            let before = unsafe libbpf_set_print { level, format, arguments in
                if level == LIBBPF_WARN, let format = unsafe format,
                    let arguments = unsafe arguments
                {
                    unsafe LibBPFLog.hear(format, arguments)
                }
                return 0
            }
            result = Result { () throws(Failure) in try body() }
            // SAFETY: restores the previous callback.
            _ = unsafe libbpf_set_print(before)
            let said = heard.withLock { $0 }
            lines = said.lines
            if said.lost > 0 { lines.append("and \(said.lost) more lines") }
        }
        warnings += lines
        return try result!.get()
    }

    @unsafe
    private static func hear(_ format: UnsafePointer<CChar>, _ arguments: CVaListPointer) {
        var buffer = [CChar](repeating: 0, count: 4096)
        // SAFETY: libbpf's own format and arguments; the buffer's own size is passed, and the text
        // is always NUL-terminated.
        _ = unsafe vsnprintf(&buffer, buffer.count, format, arguments)
        let text = String(
            decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        heard.withLock { heard in
            for line in text.split(separator: "\n") {
                guard heard.lines.count < limit else {
                    heard.lost += 1
                    continue
                }
                let mark = "libbpf: "
                heard.lines.append(String(line.hasPrefix(mark) ? line.dropFirst(mark.count) : line))
            }
        }
    }
}
