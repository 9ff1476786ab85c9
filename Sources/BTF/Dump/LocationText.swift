// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension TypeTable {
    /// The place that a LOC_PARAM describes, as `bpftool btf dump` prints it: `reg1`,
    /// `*(fbreg - 0x10)`, `0xffff (addr)`. Values whose flags mean nothing are listed.
    ///
    /// - Parameter id: a LOC_PARAM.
    func location(_ id: UInt32) -> String {
        let flags = word(id, 3)
        let values = (0..<min(count(id), Self.shownValues)).map { word(id, 4 + $0) }
        let isWhole = count(id) == values.count
        let isSigned = flags & LocationFlags.signed != 0
        switch flags & ~LocationFlags.signed {
        case LocationFlags.constant, LocationFlags.constant | LocationFlags.address:
            guard let number = number(values[...], isSigned), isWhole else { break }
            return number + (flags & LocationFlags.address != 0 ? " (addr)" : "")
        case LocationFlags.register where isWhole && !values.isEmpty && !isSigned:
            return values.map(register).joined(separator: ", ")
        case LocationFlags.register | LocationFlags.dereferenced where values.count == 1 && isWhole:
            return "*(" + register(values[0]) + ")"
        case LocationFlags.register | LocationFlags.offset,
            LocationFlags.register | LocationFlags.offset | LocationFlags.dereferenced:
            guard let offset = number(values.dropFirst(), isSigned), isWhole else { break }
            let sum =
                register(values[0])
                + (offset.hasPrefix("-") ? " - " + offset.dropFirst() : " + " + offset)
            return flags & LocationFlags.dereferenced == 0 ? sum : "*(" + sum + ")"
        default: break
        }
        return values.map { "0x" + String($0, radix: 16) }.joined(separator: " ")
            + (isWhole ? "" : " ...")
    }

    private static let shownValues = 4

    private func register(_ number: UInt32) -> String {
        number == LocationFlags.frameBase ? "fbreg" : "reg\(number)"
    }

    /// One or two words, low half first; nil for another number of words.
    private func number(_ words: ArraySlice<UInt32>, _ isSigned: Bool) -> String? {
        guard let low = words.first, words.count <= 2 else { return nil }
        let bits = words.count == 2 ? UInt64(words[words.startIndex + 1]) << 32 | UInt64(low) : nil
        guard isSigned else { return "0x" + String(bits ?? UInt64(low), radix: 16) }
        let value = bits.map { Int64(bitPattern: $0) } ?? Int64(Int32(bitPattern: low))
        return (value < 0 ? "-0x" : "0x") + String(value.magnitude, radix: 16)
    }
}
