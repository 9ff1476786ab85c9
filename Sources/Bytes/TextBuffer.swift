// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// UTF-8 text in memory of its own, for output of many megabytes. Unlike an array it is never
/// shared: appending costs a comparison and the stores, without reference counting.
@safe
@usableFromInline @frozen
package struct TextBuffer: ~Copyable {
    // SAFETY: base[0..<count] is initialised and base[0..<capacity + slack] is allocated, by this
    // owner alone.
    @usableFromInline var base: UnsafeMutablePointer<UInt8>
    /// In bytes.
    @usableFromInline package private(set) var count = 0
    @usableFromInline var capacity: Int

    /// Bytes beyond the capacity, so that short texts can be stored as whole words.
    @usableFromInline static let slack = 16

    package init(capacity: Int = 1 << 12) {
        self.capacity = max(capacity, 64)
        unsafe base = .allocate(capacity: self.capacity + Self.slack)
    }

    deinit { unsafe base.deallocate() }

    package var isEmpty: Bool { count == 0 }

    package mutating func removeAll() { count = 0 }

    /// A copy of the bytes from `start` on.
    package func bytes(from start: Int = 0) -> [UInt8] {
        precondition(start >= 0 && start <= count)
        return unsafe Array(UnsafeBufferPointer(start: base + start, count: count - start))
    }

    @inlinable @inline(__always)
    mutating func reserve(_ more: Int) {
        if capacity &- count < more { grow(by: more) }
    }

    @usableFromInline @inline(never)
    mutating func grow(by more: Int) {
        let larger = max(capacity * 2, count + more)
        let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: larger + Self.slack)
        // SAFETY: larger > count; the old block is not used afterwards.
        unsafe fresh.initialize(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = fresh
        capacity = larger
    }

    // MARK: Text

    @inlinable @inline(__always)
    package mutating func put(_ text: StaticString) {
        let length = text.utf8CodeUnitCount
        reserve(length)
        // SAFETY: there is room for the literal's own length.
        unsafe (base + count).initialize(from: text.utf8Start, count: length)
        count &+= length
    }

    @inlinable @inline(__always)
    package mutating func put(byte: UInt8) {
        reserve(1)
        // SAFETY: count < capacity.
        unsafe base[count] = byte
        count &+= 1
    }

    package mutating func put(text: String) {
        for byte in text.utf8 { put(byte: byte) }
    }

    package mutating func put(_ bytes: ArraySlice<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return }
            reserve(bytes.count)
            // SAFETY: there is room for all.
            unsafe (base + count).initialize(from: start, count: bytes.count)
            count &+= bytes.count
        }
    }

    // MARK: Numbers

    @inlinable @inline(__always)
    package mutating func put(_ number: UInt32) {
        if number < 10 {
            put(byte: 48 &+ UInt8(truncatingIfNeeded: number))
        } else {
            put(twoOrMore: number)
        }
    }

    /// A number of two digits or more.
    @usableFromInline
    mutating func put(twoOrMore number: UInt32) {
        let digits =
            if number < 10_000 {
                number < 100 ? 2 : number < 1000 ? 3 : 4
            } else if number < 1_000_000 {
                number < 100_000 ? 5 : 6
            } else if number < 100_000_000 {
                number < 10_000_000 ? 7 : 8
            } else {
                number < 1_000_000_000 ? 9 : 10
            }
        reserve(digits)
        var end = count &+ digits
        count = end
        var rest = number
        while rest >= 10 {
            let pair = Int(rest % 100) &* 2
            rest /= 100
            end &-= 2
            // SAFETY: end is at or behind the old count, and pair is below 200.
            unsafe base[end] = Self.pairs.utf8Start[pair]
            unsafe base[end &+ 1] = Self.pairs.utf8Start[pair &+ 1]
        }
        // SAFETY: the first digit is left.
        if digits & 1 != 0 { unsafe base[end &- 1] = 48 &+ UInt8(truncatingIfNeeded: rest) }
    }

    private static var pairs: StaticString {
        """
        00010203040506070809101112131415161718192021222324252627282930313233343536373839\
        40414243444546474849505152535455565758596061626364656667686970717273747576777879\
        8081828384858687888990919293949596979899
        """
    }

    package mutating func put(_ number: UInt64) {
        if let short = UInt32(exactly: number) { return put(short) }
        let (high, low) = number.quotientAndRemainder(dividingBy: 1_000_000_000)
        put(high)
        // Nine digits, with leading zeros.
        var unit: UInt64 = 100_000_000
        while unit > 0 {
            put(byte: 48 + UInt8(low / unit % 10))
            unit /= 10
        }
    }

    package mutating func put(_ number: Int64) {
        if number < 0 { put(byte: 45) }
        put(number.magnitude)
    }

    /// Lower-case hexadecimal without a prefix.
    package mutating func put(hex number: UInt64) {
        var shift = max(0, (63 - number.leadingZeroBitCount) / 4 * 4)
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift)) & 15
            put(byte: digit < 10 ? 48 + digit : 87 + digit)
            shift -= 4
        }
    }
}

// MARK: Strings in a section

extension TextBuffer {
    /// Appends the NUL-terminated string at `offset`, which may lie outside, but not more than
    /// `limit` bytes of it.
    package mutating func put(stringIn strings: [UInt8], at offset: Int, atMost limit: Int) {
        unsafe strings.withUnsafeBytes { strings in
            guard offset >= 0, offset < strings.count else { return }
            let end = offset &+ min(limit, strings.count &- offset)
            var at = offset
            while at &+ 8 <= end {
                // SAFETY: eight bytes are left of the string's room, and the slack is larger.
                let word = unsafe strings.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                reserve(8)
                unsafe UnsafeMutableRawPointer(base + count).storeBytes(of: word, as: UInt64.self)
                let zeros = firstBytes(ofZeroIn: UInt64(littleEndian: word))
                if zeros != 0 {
                    count &+= zeros.trailingZeroBitCount &>> 3
                    return
                }
                count &+= 8
                at &+= 8
            }
            while at < end, unsafe strings[at] != 0 {
                put(byte: unsafe strings[at])
                at &+= 1
            }
        }
    }

    /// The same as a JSON string with its quotes, by the rules of `[UInt8].put(json:)`.
    package mutating func put(jsonStringIn strings: [UInt8], at offset: Int, atMost limit: Int) {
        put(byte: 34)
        let special = put(plainIn: strings, at: offset, atMost: limit)
        if let special { put(jsonRestOf: strings, special, offset, limit) }
        put(byte: 34)
    }

    /// Appends the string as far as JSON has it as it is.
    ///
    /// - Returns: where that ends; nil for the end of the string.
    private mutating func put(
        plainIn strings: [UInt8], at offset: Int, atMost limit: Int
    ) -> Int? {
        unsafe strings.withUnsafeBytes { strings in
            guard offset >= 0, offset < strings.count else { return nil }
            let end = offset &+ min(limit, strings.count &- offset)
            var at = offset
            while at &+ 8 <= end {
                // SAFETY: eight bytes are left of the string's room, and the slack is larger.
                let word = unsafe strings.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                reserve(8)
                unsafe UnsafeMutableRawPointer(base + count).storeBytes(of: word, as: UInt64.self)
                let special = firstBytes(special: UInt64(littleEndian: word))
                if special != 0 {
                    let length = special.trailingZeroBitCount &>> 3
                    count &+= length
                    return unsafe strings[at &+ length] == 0 ? nil : at &+ length
                }
                count &+= 8
                at &+= 8
            }
            while at < end, case let byte = unsafe strings[at], byte != 0 {
                if firstBytes(special: UInt64(byte) | 0x2020_2020_2020_2000) != 0 { return at }
                put(byte: byte)
                at &+= 1
            }
            return nil
        }
    }

    @inline(never)
    private mutating func put(
        jsonRestOf strings: [UInt8], _ at: Int, _ offset: Int, _ limit: Int
    ) {
        let room = strings[at..<offset + min(limit, strings.count - offset)]
        var text: [UInt8] = []
        text.put(json: room.prefix { $0 != 0 })
        put(text.dropFirst().dropLast())
    }
}

/// The top bit of the lowest byte that JSON does not have as it is: a control character, a quote, a
/// backslash, or a part of a longer character; higher bits mean nothing.
@inline(__always)
private func firstBytes(special word: UInt64) -> UInt64 {
    let quote = word ^ everyByte &* 0x22
    let backslash = word ^ everyByte &* 0x5c
    return
        (((word &- everyByte &* 0x20) & ~word) | ((quote &- everyByte) & ~quote)
        | ((backslash &- everyByte) & ~backslash) | word) & everyByte << 7
}
