// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A pattern with `*`, `?` and `[...]`.
package struct NamePattern {
    private enum Part {
        case byte(UInt8)
        case any
        case many
        case oneOf([ClosedRange<UInt8>], isNegated: Bool)
    }

    private var parts: [Part] = []

    /// nil for text without any of them.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        var at = 0
        var isPlain = true
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "*"): parts.append(.many)
            case UInt8(ascii: "?"): parts.append(.any)
            case UInt8(ascii: "["):
                guard let part = NamePattern.group(bytes, &at) else { fallthrough }
                parts.append(part)
            default:
                parts.append(.byte(byte))
                continue
            }
            isPlain = false
        }
        if isPlain { return nil }
    }

    private static func group(_ bytes: [UInt8], _ at: inout Int) -> Part? {
        guard let end = bytes[at...].dropFirst().firstIndex(of: UInt8(ascii: "]")) else {
            return nil
        }
        let isNegated = bytes[at] == UInt8(ascii: "!") || bytes[at] == UInt8(ascii: "^")
        var ranges: [ClosedRange<UInt8>] = []
        var index = at + (isNegated ? 1 : 0)
        while index < end {
            if index + 2 < end, bytes[index + 1] == UInt8(ascii: "-"),
                bytes[index] <= bytes[index + 2]
            {
                ranges.append(bytes[index]...bytes[index + 2])
                index += 3
            } else {
                ranges.append(bytes[index]...bytes[index])
                index += 1
            }
        }
        at = end + 1
        return .oneOf(ranges, isNegated: isNegated)
    }

    package func matches(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        var (part, at) = (0, 0)
        // Where to go on if what follows the last `*` does not match.
        var back: (part: Int, at: Int)?
        while at < bytes.count {
            if part < parts.count, case .many = parts[part] {
                back = (part + 1, at)
                part += 1
            } else if part < parts.count, accepts(parts[part], bytes[at]) {
                part += 1
                at += 1
            } else if let last = back {
                back = (last.part, last.at + 1)
                (part, at) = (last.part, last.at + 1)
            } else {
                return false
            }
        }
        return parts[part...].allSatisfy { if case .many = $0 { true } else { false } }
    }

    private func accepts(_ part: Part, _ byte: UInt8) -> Bool {
        switch part {
        case .byte(let wanted): wanted == byte
        case .any: true
        case .many: false
        case .oneOf(let ranges, let isNegated):
            ranges.contains { $0.contains(byte) } != isNegated
        }
    }
}
