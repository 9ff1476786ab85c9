// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import HostIO
import Synchronization

/// How `-j` and `-p` ask for JSON.
enum BpftoolJSON {
    /// On one line.
    case compact
    case pretty

    /// A stream for compact JSON.
    func stream(_ output: Stream) -> Stream {
        guard case .pretty = self else { return output }
        let layout = PrettyJSON()
        return Stream(
            writer: { bytes throws(HostError) in try output.write(layout.spread(bytes)) },
            isTerminal: output.isTerminal)
    }
}

/// Spreads compact JSON over lines as bpftool does: a key begins a line, and so does the end of
/// what is not empty.
private final class PrettyJSON: Sendable {
    private let place = Mutex(PlaceInJSON())

    /// - Parameter bytes: a further piece of the text.
    func spread(_ bytes: [UInt8]) -> [UInt8] {
        place.withLock { place in
            var out: [UInt8] = []
            out.reserveCapacity(bytes.count * 3)
            for byte in bytes { place.put(byte, to: &out) }
            return out
        }
    }
}

/// Where in the JSON the next byte is.
private struct PlaceInJSON {
    /// The closing brackets that are missing, and whether there is nothing before them.
    private var open: [(end: UInt8, isEmpty: Bool)] = []
    private var isInString = false
    private var isEscaped = false
    /// What follows in an object is a key.
    private var isBeforeKey = false

    mutating func put(_ byte: UInt8, to out: inout [UInt8]) {
        if isInString {
            out.append(byte)
            isInString = isEscaped || byte != UInt8(ascii: "\"")
            isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
            return
        }
        if byte == open.last?.end {
            if !open.removeLast().isEmpty { beginLine(&out) }
            return out.append(byte)
        }
        if !open.isEmpty { open[open.count - 1].isEmpty = false }
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            // Two behind each is its end.
            open.append((byte + 2, true))
            isBeforeKey = byte == UInt8(ascii: "{")
        case UInt8(ascii: "\""):
            isInString = true
            if isBeforeKey { beginLine(&out) }
            isBeforeKey = false
        case UInt8(ascii: ","): isBeforeKey = open.last?.end == UInt8(ascii: "}")
        default: break
        }
        out.append(byte)
        if byte == UInt8(ascii: ":") { out.append(UInt8(ascii: " ")) }
    }

    private func beginLine(_ out: inout [UInt8]) {
        out.append(10)
        out.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 4 * open.count))
    }
}
