// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import Console

/// The ids of one file.
struct IDList: Sendable {
    /// One id, and what it is.
    fileprivate struct Row: Sendable {
        let line: IDSection.Line
        let set: String?
        let setFlags: UInt32?
        /// Kind and name.
        let type: String?
    }

    fileprivate let rows: [Row]

    /// The kernel would object to a set of kernel functions.
    let hasFaults: Bool

    /// - Parameter btf: what the ids are of; nil for a section that is not filled in.
    init(_ section: IDSection, in btf: BTF?, hasFaults: Bool) {
        self.hasFaults = hasFaults
        rows = section.lines(in: btf).map { line in
            let set = line.set.map { section.sets[$0] }
            return Row(
                line: line, set: set?.name,
                setFlags: set.flatMap { $0.hasFlags ? section.flags(of: $0) : nil },
                type: btf.flatMap { IDList.text(line.id, $0) })
        }
    }

    /// Some id is of another type than its symbol asks for.
    var hasWrong: Bool { rows.contains { $0.line.state == .wrong } }

    /// Kernels accept no type names over 511 bytes; a file may repeat a longer one for each id.
    private static func text(_ id: TypeID, _ btf: BTF) -> String? {
        guard let record = btf.record(id) else { return nil }
        let name = btf.stringBytes(at: record.nameOffset, atMost: 511)
        return record.kind.word + " " + (name.map { String(systemBytes: $0) } ?? "...")
    }
}

/// The output of `kbtf ids`.
enum IDListing {
    static func text(_ outcomes: [FileOutcome<IDList?>]) -> [UInt8] {
        var table = Table(
            headings: ["FILE", "OFFSET", "SET", "FOR", "ID", "TYPE", "FLAGS", "STATE"])
        for outcome in outcomes {
            for row in outcome.value?.rows ?? [] {
                let line = row.line
                table.add([
                    outcome.path, line.place.map { "0x" + String($0, radix: 16) } ?? "-",
                    row.set ?? "-", line.entry.map { "\($0.kind) \($0.name)" } ?? "-",
                    String(line.id.rawValue), row.type ?? "-",
                    line.flags.map { "0x" + String($0, radix: 16) } ?? "-", line.state.rawValue,
                ])
            }
        }
        return Array(table.text.utf8)
    }

    static func json(_ outcomes: [FileOutcome<IDList?>]) -> [UInt8] {
        JSONWriter.report { json in
            let told = outcomes.filter { $0.value != nil || $0.failure != nil }
            json.array("files", told, onLines: true) { json, outcome in
                outcome.write(to: &json) { json in
                    if let list = outcome.value { json.field("ids", list.rows) }
                }
            }
        }
    }
}

extension IDList.Row: JSONValue {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("offset", line.place)
            json.field("symbol", line.entry?.symbol)
            json.field("kind", line.entry?.kind.rawValue)
            json.field("name", line.entry?.name)
            json.field("id", line.id.rawValue)
            json.field("type", type)
            json.field("set", set)
            json.field("set_flags", setFlags)
            json.field("flags", line.flags)
            json.field("state", line.state.rawValue)
        }
    }
}
