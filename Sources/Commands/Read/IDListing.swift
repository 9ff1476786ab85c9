// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import Console

/// The output of `kbtf ids`.
struct IDListing {
    private var rows: [[String]] = []
    private var objects: [String] = []

    mutating func add(
        _ path: String, _ section: IDSection, _ lines: [IDSection.Line], _ btf: BTF?
    ) {
        for line in lines {
            let set = line.set.map { section.sets[$0] }
            let type = btf.flatMap { text(line.id, $0) }
            let flags = line.flags.map { "0x" + String($0, radix: 16) }
            rows.append([
                path, line.place.map { "0x" + String($0, radix: 16) } ?? "-", set?.name ?? "-",
                line.entry.map { "\($0.kind) \($0.name)" } ?? "-", String(line.id.rawValue),
                type ?? "-", flags ?? "-", line.state.rawValue,
            ])
            objects.append(
                object([
                    ("file", jsonString(path)), ("offset", number(line.place)),
                    ("symbol", jsonOrNull(line.entry?.symbol)),
                    ("kind", jsonOrNull(line.entry?.kind.rawValue)),
                    ("name", jsonOrNull(line.entry?.name)), ("id", String(line.id.rawValue)),
                    ("type", jsonOrNull(type)), ("set", jsonOrNull(set?.name)),
                    (
                        "set_flags",
                        number(set.flatMap { $0.hasFlags ? section.flags(of: $0) : nil })
                    ),
                    ("flags", number(line.flags)), ("state", jsonString(line.state.rawValue)),
                ]))
        }
    }

    /// A file that is not listed, with the reason: in JSON only.
    mutating func add(_ path: String, _ failure: Failure) {
        objects.append("{\"file\":\(jsonString(path)),\(failure.json)}")
    }

    var text: String {
        var table = Table(
            headings: ["FILE", "OFFSET", "SET", "FOR", "ID", "TYPE", "FLAGS", "STATE"])
        for row in rows { table.add(row) }
        return table.text
    }

    var json: String { jsonArray(objects) }

    /// Kernels do not accept type names longer than 511 bytes; a file may repeat a longer one for
    /// each id.
    private func text(_ id: TypeID, _ btf: BTF) -> String? {
        guard let record = btf.record(id) else { return nil }
        let name = btf.stringBytes(at: record.nameOffset, atMost: 511)
        return record.kind.word + " " + (name.map { String(systemBytes: $0) } ?? "...")
    }

    private func number(_ value: (some BinaryInteger)?) -> String {
        value.map { String($0) } ?? "null"
    }

    private func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\(jsonString($0)):\($1)" }.joined(separator: ",") + "}"
    }
}
