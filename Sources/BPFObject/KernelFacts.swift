// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What the user specifies about the object's target kernel, so that the build machine is not
/// consulted.
package struct KernelFacts: Sendable {
    /// Where the configuration was read from; nil without one.
    package let file: String?
    /// `CONFIG_NAME` to its value as written: `y`, `250`, `"x"`.
    private let values: [String: String]
    /// In the format of LINUX_VERSION_CODE.
    package let version: UInt32?

    /// - Parameters:
    ///   - config: the text of a kernel's configuration: lines `NAME=value`, including
    ///     `LINUX_KERNEL_VERSION=n`; others are ignored.
    ///   - version: takes precedence over `config`.
    package init(file: String? = nil, config: String = "", version: UInt32? = nil) {
        self.file = file
        var values: [String: String] = [:]
        for line in config.split(whereSeparator: \.isNewline)
        where line.hasPrefix("CONFIG_") || line.hasPrefix("LINUX_") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let name = String(line[..<equals])
            // The first one counts, as in libbpf.
            if values[name] == nil {
                values[name] = String(line[line.index(after: equals)...])
            }
        }
        self.values = values
        self.version =
            version
            ?? values["LINUX_KERNEL_VERSION"].flatMap { KernelFacts.number($0) }.flatMap {
                UInt32(exactly: $0)
            }
    }

    /// No value was specified.
    package var isEmpty: Bool { values.isEmpty }

    subscript(_ name: String) -> String? { values[name] }

    /// A release as LINUX_VERSION_CODE, whose last part is at most 255: `6.1.170`, `6.12`, or the
    /// code itself.
    package static func versionCode(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 1 {
            return number(text).flatMap { UInt32(exactly: $0) }.flatMap { $0 >= 1 << 16 ? $0 : nil }
        }
        let numbers = parts.compactMap { UInt32($0) }
        guard (2...3).contains(parts.count), numbers.count == parts.count, numbers[0] < 1 << 8,
            numbers[1] < 1 << 8
        else { return nil }
        return numbers[0] << 16 | numbers[1] << 8 | (numbers.count == 3 ? min(numbers[2], 255) : 0)
    }

    /// A number in C syntax, in 64 bits, negative ones in two's complement.
    static func number(_ text: String) -> UInt64? {
        let isNegative = text.hasPrefix("-")
        let digits = isNegative ? text.dropFirst() : text[...]
        let value: UInt64?
        if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
            value = UInt64(digits.dropFirst(2), radix: 16)
        } else if digits.hasPrefix("0"), digits.count > 1 {
            value = UInt64(digits.dropFirst(), radix: 8)
        } else {
            value = UInt64(digits)
        }
        guard let value, digits.first?.isNumber == true else { return nil }
        return isNegative ? 0 &- value : value
    }
}
