// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Removes what programs write before the kernel's own words: the priority and time of dmesg and
/// /dev/kmsg, the time, host and sender of a journal or syslog, the caller id.
package enum LogLine {
    /// The words of the kernel, or of the program that wrote the line, in `line`.
    package static func words(of line: Substring) -> Substring {
        var rest = trimmed(line)
        rest = withoutSender(rest)
        // syslog writes the time of the kernel after that of its own.
        for _ in 0..<4 {
            guard let shorter = withoutPriority(rest) ?? withoutBrackets(rest) else { break }
            rest = trimmed(shorter)
        }
        return rest
    }

    /// `<4>` or, in /dev/kmsg, `4,1234,5678,-;`.
    private static func withoutPriority(_ line: Substring) -> Substring? {
        if line.first == "<", let end = line.prefix(6).firstIndex(of: ">"),
            line[line.index(after: line.startIndex)..<end].allSatisfy(\.isNumber)
        {
            return line[line.index(after: end)...]
        }
        guard line.first?.isNumber == true, let end = line.prefix(80).firstIndex(of: ";"),
            line[..<end].split(separator: ",", omittingEmptySubsequences: false).count >= 4,
            line[..<end].prefix(while: { $0 != "," }).allSatisfy(\.isNumber)
        else { return nil }
        return line[line.index(after: end)...]
    }

    /// `[   12.345678]`, `[Sun Nov 29 21:03:19 2026]` or the caller, `[    T123]`, `[   C0]`.
    private static func withoutBrackets(_ line: Substring) -> Substring? {
        guard line.first == "[", let end = line.prefix(40).firstIndex(of: "]") else { return nil }
        let inside = trimmed(line[line.index(after: line.startIndex)..<end])
        let isTime = inside.contains(".") && inside.allSatisfy { $0.isNumber || $0 == "." }
        let isDate = inside.contains(":") && inside.contains(" ")
        let isCaller =
            (inside.first == "T" || inside.first == "C") && inside.count > 1
            && inside.dropFirst().allSatisfy(\.isNumber)
        return isTime || isDate || isCaller ? line[line.index(after: end)...] : nil
    }

    /// `Nov 29 21:03:19 host kernel: ` and `[    1.234567] host kernel: `.
    private static func withoutSender(_ line: Substring) -> Substring {
        var at = line.startIndex
        // The sender is one of the first words.
        for _ in 0..<8 {
            guard let blank = line[at...].firstIndex(of: " ") else { return line }
            let word = line[at..<blank]
            if word == "kernel:", at != line.startIndex {
                return trimmed(line[line.index(after: blank)...])
            }
            at = line.index(after: blank)
            while at < line.endIndex, line[at] == " " { at = line.index(after: at) }
        }
        return line
    }

    private static func trimmed(_ line: Substring) -> Substring {
        var line = line
        while let first = line.first, first == " " || first == "\t" { line.removeFirst() }
        while let last = line.last, last == " " || last == "\t" || last == "\r\n" || last == "\r" {
            line.removeLast()
        }
        return line
    }
}
