// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// File names, arguments, environment variables and names in BTF as text.
///
/// The system provides them as bytes, in no particular encoding. A byte that is not part of valid
/// UTF-8 becomes one of the private-use characters U+10FE80 to U+10FEFF, and so does each byte of
/// such a character. So two names never become the same text, and every text can be converted back
/// to its bytes.
extension String {
    static let reserved: ClosedRange<UInt32> = 0x10fe80...0x10feff

    /// The first byte of all reserved characters, and of few others.
    private static let reservedLead: UInt8 = 0xf4

    /// - Parameter bytes: without the terminating NUL.
    package init(systemBytes bytes: [UInt8]) {
        if let text = String(validating: bytes, as: UTF8.self), !text.mayHoldReserved {
            self = text
            return
        }
        var scalars = String.UnicodeScalarView()
        for part in UTF8Parts(bytes) {
            if let scalar = part.scalar, !String.reserved.contains(scalar.value) {
                scalars.append(scalar)
            } else {
                for byte in bytes[part.range] { scalars.append(String.placeholder(byte)) }
            }
        }
        self = String(scalars)
    }

    package init(systemBytes bytes: ArraySlice<UInt8>) { self.init(systemBytes: Array(bytes)) }

    /// - Parameter text: NUL-terminated.
    @unsafe
    package init(systemText text: UnsafePointer<CChar>) {
        if let text = unsafe String(validatingCString: text), !text.mayHoldReserved {
            self = text
            return
        }
        var bytes: [UInt8] = []
        var next = unsafe text
        while unsafe next.pointee != 0 {
            unsafe bytes.append(UInt8(bitPattern: next.pointee))
            unsafe next += 1
        }
        self.init(systemBytes: bytes)
    }

    private static func placeholder(_ byte: UInt8) -> Unicode.Scalar {
        // Bytes that are not ASCII are 0x80 and up, in valid and in invalid UTF-8.
        Unicode.Scalar(0x10fe00 | UInt32(byte))!
    }

    /// The byte for which `scalar` stands; nil for all other characters.
    static func byte(_ scalar: Unicode.Scalar) -> UInt8? {
        reserved.contains(scalar.value) ? UInt8(truncatingIfNeeded: scalar.value) : nil
    }

    var mayHoldReserved: Bool {
        // SAFETY: the bytes are read inside the call.
        unsafe utf8.withContiguousStorageIfAvailable { unsafe $0.contains(String.reservedLead) }
            ?? utf8.contains(String.reservedLead)
    }

    /// The original bytes.
    package var systemBytes: [UInt8] {
        guard mayHoldReserved else { return Array(utf8) }
        var bytes: [UInt8] = []
        for scalar in unicodeScalars {
            if let byte = String.byte(scalar) {
                bytes.append(byte)
            } else {
                bytes.append(contentsOf: UTF8.encode(scalar)!)
            }
        }
        return bytes
    }

    /// Calls `body` with the bytes for system calls, NUL-terminated.
    @unsafe
    package func withSystemText<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        guard mayHoldReserved else { return unsafe withCString(body) }
        let bytes = systemBytes.map { CChar(bitPattern: $0) } + [0]
        // SAFETY: the array has the NUL at its end and lives through the call.
        return unsafe bytes.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
    }

    /// The text for messages and tables: on one line, and without anything that a terminal
    /// interprets.
    ///
    /// This is the one rule for names in messages. A byte of a control character, of a line or
    /// paragraph separator, of a character that changes the direction of writing, or of invalid
    /// UTF-8 is shown as `\x0a`; everything else verbatim.
    package var shown: String {
        guard utf8.contains(where: { $0 < 0x20 || $0 >= 0x7f }) else { return self }
        guard unicodeScalars.contains(where: String.isHidden) else { return self }
        var line = ""
        for scalar in unicodeScalars {
            guard String.isHidden(scalar) else {
                line.unicodeScalars.append(scalar)
                continue
            }
            for byte in String.byte(scalar).map({ [$0] }) ?? Array(UTF8.encode(scalar)!) {
                line += (byte < 16 ? "\\x0" : "\\x") + String(byte, radix: 16)
            }
        }
        return line
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // Controls.
        case 0..<0x20, 0x7f..<0xa0: true
        // Separators, and characters that change the direction of writing.
        case 0x2028...0x202e, 0x2066...0x2069, 0x200e, 0x200f, 0x61c: true
        case String.reserved: true
        default: false
        }
    }
}

/// The characters of UTF-8, and the invalid bytes between them.
struct UTF8Parts: Sequence, IteratorProtocol {
    struct Part {
        let range: Range<Int>
        /// nil for invalid bytes.
        let scalar: Unicode.Scalar?
    }

    private var parser = UTF8.ForwardParser()
    private var bytes: IndexingIterator<[UInt8]>
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes.makeIterator() }

    mutating func next() -> Part? {
        let start = position
        switch parser.parseScalar(from: &bytes) {
        case .emptyInput: return nil
        case .valid(let encoded):
            position += encoded.count
            return Part(range: start..<position, scalar: UTF8.decode(encoded))
        case .error(let length):
            position += length
            return Part(range: start..<position, scalar: nil)
        }
    }
}
