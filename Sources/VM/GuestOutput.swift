// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Files that a guest sends at its end, on its console: what its tests left in `/output`.
///
/// Nothing that it sends is trusted: names must lead into the directory that they are written to,
/// and contents must have the length and checksum that were announced.
package struct GuestOutput: Sendable {
    package struct File: Sendable, Equatable {
        /// Relative, without `..`.
        package let path: String
        package fileprivate(set) var bytes: [UInt8]
    }

    /// In the guest.
    package static let folder = "/output"
    /// The mark of lines with contents, which nobody wants to read.
    static let dataMark = "# data "
    private static let mostFiles = 10_000

    package private(set) var files: [File] = []
    /// What did not arrive, a sentence each.
    package private(set) var faults: [String] = []
    private var announced: (size: Int, checksum: UInt32)?
    private var hasEnded = false

    /// Processes a line of the guest's init.
    ///
    /// - Returns: whether it belongs to a file.
    mutating func take(_ line: String) -> Bool {
        if line.hasPrefix(GuestOutput.dataMark) {
            add(line.dropFirst(GuestOutput.dataMark.count))
        } else if line.hasPrefix("# file ") {
            finish()
            open(line.dropFirst(7))
        } else if line.hasPrefix("# omitted ") {
            finish()
            fault("\(line.dropFirst(10)): too large, or cannot be read")
        } else if line.hasPrefix("# files ") {
            finish()
            hasEnded = true
        } else {
            return false
        }
        return true
    }

    /// The last line was read.
    ///
    /// - Parameter isExpected: the guest was to send files.
    mutating func end(isExpected: Bool) {
        finish()
        if isExpected, !hasEnded { fault("the guest ended before it had sent all files") }
    }

    private mutating func fault(_ text: String) {
        if faults.count < 20 { faults.append(text) }
    }

    /// `SIZE CHECKSUM NAME`
    private mutating func open(_ text: Substring) {
        let words = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count == 3, let size = Int(words[0]), size >= 0,
            let checksum = UInt32(words[1], radix: 16)
        else { return fault("a file without a size, a checksum or a name") }
        let name = String(words[2])
        guard GuestOutput.isSafe(name) else {
            return fault("\(name): a path that leads out of the directory")
        }
        guard files.count < GuestOutput.mostFiles else {
            return fault("\(name): more than \(GuestOutput.mostFiles) files")
        }
        guard !files.contains(where: { $0.path == name }) else {
            return fault("\(name): it was sent twice")
        }
        files.append(File(path: name, bytes: []))
        announced = (size, checksum)
    }

    private static func isSafe(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count < 1024 && name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
            && name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
                !$0.isEmpty && $0 != "." && $0 != ".."
            }
    }

    private mutating func add(_ text: Substring) {
        guard let announced else { return }
        let place = files.count - 1
        guard let bytes = GuestOutput.decoded(text),
            files[place].bytes.count + bytes.count <= announced.size
        else {
            fault("\(files[place].path): damaged on its way")
            files.removeLast()
            self.announced = nil
            return
        }
        files[place].bytes += bytes
    }

    /// Ends the file that is being read.
    private mutating func finish() {
        guard let (size, checksum) = announced, let last = files.last else { return }
        announced = nil
        guard last.bytes.count != size || GuestOutput.checksum(last.bytes) != checksum else {
            return
        }
        fault("\(last.path): damaged on its way")
        files.removeLast()
    }

    /// Base64 with padding (RFC 4648); nil for anything else.
    static func decoded(_ text: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        var word: UInt32 = 0
        var count = 0
        var padding = 0
        for byte in text.utf8 {
            let digit: UInt32
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = UInt32(byte - UInt8(ascii: "A"))
            case UInt8(ascii: "a")...UInt8(ascii: "z"):
                digit = UInt32(byte - UInt8(ascii: "a")) + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digit = UInt32(byte - UInt8(ascii: "0")) + 52
            case UInt8(ascii: "+"): digit = 62
            case UInt8(ascii: "/"): digit = 63
            case UInt8(ascii: "="):
                digit = 0
                padding += 1
            default: return nil
            }
            // Nothing follows the padding.
            if padding > 2 || padding > 0 && byte != UInt8(ascii: "=") { return nil }
            word = word << 6 | digit
            count += 1
            if count % 4 == 0 {
                bytes += [
                    UInt8(truncatingIfNeeded: word >> 16), UInt8(truncatingIfNeeded: word >> 8),
                    UInt8(truncatingIfNeeded: word),
                ].dropLast(padding)
                word = 0
            }
        }
        return count % 4 == 0 ? bytes : nil
    }

    private static let table: [UInt32] = (0..<256).map { start in
        (0..<8).reduce(UInt32(start)) { sum, _ in
            sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xedb8_8320
        }
    }

    /// CRC-32 of ISO 3309, as in gzip.
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { table[Int(($0 ^ UInt32($1)) & 0xff)] ^ $0 >> 8 }
    }
}
