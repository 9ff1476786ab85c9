// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import DWARFToBTF
import HostIO

/// What is left out of the BTF of one file, from the file itself or from a saved ledger.
struct FileLedger: Sendable {
    struct Entry: Sendable, Hashable {
        let name: String
        /// The source file; not part of what makes two entries the same, because trees differ.
        let unit: String
        /// A word of docs/ledger.md; a newer kbtf may have written others.
        let reason: String

        static func == (a: Entry, b: Entry) -> Bool { a.name == b.name && a.reason == b.reason }

        func hash(into hasher: inout Hasher) {
            hasher.combine(name)
            hasher.combine(reason)
        }
    }

    /// As it was named, or as the saved ledger names it.
    let file: String
    let entries: [Entry]

    var counts: ReasonCounts { ReasonCounts(entries) }

    /// The file's name without directory, and without what compression adds: what two builds of a
    /// module have in common.
    var key: String {
        var name = file.split(separator: "/").last ?? Substring(file)
        for suffix in [".gz", ".xz", ".zst"] where name.hasSuffix(".ko" + suffix) {
            name = name.dropLast(suffix.count)
        }
        return String(name)
    }
}

/// How many entries there are for each reason.
struct ReasonCounts: Sendable, Equatable {
    private(set) var counts: [String: Int] = [:]
    private(set) var total = 0

    init() {}

    init(_ entries: some Sequence<FileLedger.Entry>) {
        for entry in entries { add(entry.reason, 1) }
    }

    subscript(reason: String) -> Int { counts[reason] ?? 0 }

    mutating func add(_ reason: String, _ count: Int) {
        counts[reason, default: 0] += count
        total += count
    }

    mutating func add(_ other: ReasonCounts) {
        for (reason, count) in other.counts { add(reason, count) }
    }

    /// The most frequent ones first.
    var reasons: [String] {
        counts.keys.sorted { (-self[$0], $0) < (-self[$1], $1) }
    }
}

extension ReasonCounts: JSONValue {
    func write(to json: inout JSONWriter) {
        json.array(reasons) { json, reason in
            json.object { json in
                json.field("reason", reason)
                json.field("count", self[reason])
            }
        }
    }
}

// MARK: Saved ledgers

extension FileLedger {
    /// Whether a file begins like JSON, which no ELF file does.
    static func isSaved(_ bytes: ByteView) -> Bool {
        for index in 0..<min(bytes.count, 64) {
            switch bytes[index] {
            case 9, 10, 13, 32: continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): return true
            default: return false
            }
        }
        return false
    }

    /// The ledgers that `encode --ledger` wrote.
    static func saved(_ bytes: ByteView, path: String) throws(Failure) -> [FileLedger] {
        let tree: JSONTree
        do throws(JSONError) { tree = try JSONTree(bytes) } catch {
            throw Failure("\(path): \(error)")
        }
        func fail(_ message: String) -> Failure {
            Failure(
                "\(path): not a ledger: \(message)", hint: "kbtf encode --ledger \(path) FILE")
        }
        var ledgers: [FileLedger] = []
        for (number, object) in (tree.array ?? [tree]).enumerated() {
            let place = "object \(number + 1)"
            guard let file = object["file"]?.string else { throw fail("\(place) has no file") }
            if let error = object["error"]?.string {
                throw Failure("\(path): \(file) could not be encoded: \(error)")
            }
            guard object["schema"] == .number(String(JSONWriter.schema)) else {
                throw fail("\(place) does not have schema \(JSONWriter.schema)")
            }
            guard let list = object["entries"]?.array else { throw fail("\(place) has no entries") }
            var entries: [Entry] = []
            for entry in list {
                guard let name = entry["name"]?.string, let unit = entry["unit"]?.string,
                    let reason = entry["reason"]?.string
                else { throw fail("\(place): entry \(entries.count + 1) lacks a key") }
                entries.append(Entry(name: name, unit: unit, reason: reason))
            }
            ledgers.append(FileLedger(file: file, entries: entries))
        }
        return ledgers
    }
}
