// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Turns console output into events. Accepts bytes as they arrive, split anywhere.
package struct ConsoleReader {
    /// A longer line is truncated: no kernel writes one.
    static let maximumLine = 16 << 10
    /// The prefix of lines from the guest's init, and of those continued in the next line.
    static let mark = "kbtf: "
    static let partMark = "kbtf+ "

    private var line: [UInt8] = []
    /// Inside an escape sequence, which firmware prints.
    private var escape = Escape.none
    /// Pieces of a line of the guest's init.
    private var parts = ""

    private enum Escape { case none, begun, inside }

    package init() {}

    package mutating func take(_ bytes: some Sequence<UInt8>, _ body: (ConsoleEvent) -> Void) {
        for byte in bytes {
            switch (escape, byte) {
            case (_, UInt8(ascii: "\n")):
                escape = .none
                endLine(body)
            case (.none, 0x1b): escape = .begun
            case (.none, 0x20...), (.none, UInt8(ascii: "\t")):
                line.append(byte)
                if line.count >= ConsoleReader.maximumLine { endLine(body) }
            // Other control characters are invisible.
            case (.none, _): break
            case (.begun, UInt8(ascii: "[")): escape = .inside
            case (.begun, _): escape = .none
            case (.inside, 0x40...0x7e): escape = .none
            case (.inside, _): break
            }
        }
    }

    /// End of input: reports a last line without a newline.
    package mutating func finish(_ body: (ConsoleEvent) -> Void) {
        if !line.isEmpty { endLine(body) }
    }

    private mutating func endLine(_ body: (ConsoleEvent) -> Void) {
        let whole = String(decoding: line, as: UTF8.self)
        line.removeAll(keepingCapacity: true)
        body(.line(whole))
        let text = ConsoleReader.withoutTime(whole[...])
        if text.hasPrefix(ConsoleReader.mark) {
            let all = parts + text.dropFirst(ConsoleReader.mark.count)
            parts = ""
            body(.guest(all))
        } else if text.hasPrefix(ConsoleReader.partMark) {
            // Bounded: the init sends some kilobytes at most, and nobody else should use its mark.
            if parts.utf8.count < ConsoleReader.maximumLine {
                parts += text.dropFirst(ConsoleReader.partMark.count)
            }
        } else if let kind = TroubleRecogniser.kind(of: text) {
            body(.trouble(kind, String(text)))
        } else if text.hasPrefix("reboot: ") {
            // `reboot: Power off not available: System halted instead`, from a kernel without ACPI.
            body(text.contains("System halted") ? .halted : .powerDown)
        } else if let count = ConsoleReader.lost(text) {
            body(.lost(count))
        }
    }

    /// `** 12 printk messages dropped **`
    private static func lost(_ text: Substring) -> Int? {
        guard text.contains(" printk messages dropped **") else { return nil }
        return text.split(separator: " ").lazy.compactMap { Int($0) }.first
    }

    /// `text` without a leading `[    1.234567] ` and, with CONFIG_PRINTK_CALLER, `[    T1] `.
    static func withoutTime(_ text: Substring) -> Substring {
        var text = text
        for _ in 0..<2 {
            guard text.first == "[", let end = text.firstIndex(of: "]") else { break }
            let inside = text[text.index(after: text.startIndex)..<end].drop { $0 == " " }
            guard let first = inside.first, first.isNumber || first == "T" || first == "C",
                inside.dropFirst().allSatisfy({ $0.isNumber || $0 == "." })
            else { break }
            text = text[text.index(after: end)...]
            if text.first == " " { text = text.dropFirst() }
        }
        return text
    }
}
