// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF

extension SizeReport {
    /// The report as tables, the most general one first.
    ///
    /// - Parameter limit: rows of those that could have one for each type or file.
    package func tables(limit: Int) -> [ReportTable] {
        var tables = [kindTable]
        if files.count > 1 { tables.append(fileTable(limit)) }
        tables.append(typeTable(limit))
        tables += [unitTable(limit), reasonTable(limit), repeatTable(limit)]
        return tables.filter { !$0.rows.isEmpty }
    }

    private static let parts = ["records", "elements", "strings", "bytes", "share"]

    private func cells(_ bytes: ByteUse) -> [ReportTable.Cell] {
        [
            .number(bytes.heads), .number(bytes.elements), .number(bytes.strings),
            .number(bytes.total), .share(bytes.total, of: total),
        ]
    }

    private var kindTable: ReportTable {
        var table = ReportTable("Bytes by kind", ["kind", "types"] + Self.parts)
        for kind in kinds {
            table.rows.append(
                [.text(kind.word), .number(kind.use.types)] + cells(kind.use.bytes))
        }
        for (name, _, bytes) in common.parts where bytes != 0 {
            table.rows.append(row(name, bytes))
        }
        for (name, bytes) in others { table.rows.append(row(name, bytes)) }
        let names = common.sharedStrings + common.unusedStrings + sum.bytes.strings
        table.rows.append([
            .text("total"), .number(sum.types), .number(sum.bytes.heads),
            .number(sum.bytes.elements), .number(names), .number(total), .share(total, of: total),
        ])
        return table
    }

    /// Of bytes that belong to no type.
    private func row(_ name: String, _ bytes: Int) -> [ReportTable.Cell] {
        [
            .text(name), .nothing, .nothing, .nothing, .nothing, .number(bytes),
            .share(bytes, of: total),
        ]
    }

    private func fileTable(_ limit: Int) -> ReportTable {
        var table = ReportTable("Files", ["file", "types"] + Self.parts)
        for file in largestFiles.prefix(limit) {
            table.rows.append([
                .text(file.name), .number(file.sum.types), .number(file.sum.bytes.heads),
                .number(file.sum.bytes.elements),
                .number(
                    file.sum.bytes.strings + file.account.common.sharedStrings
                        + file.account.common.unusedStrings), .number(file.total),
                .share(file.total, of: total),
            ])
        }
        table.note = more(files.count, limit, "files")
        return table
    }

    private func typeTable(_ limit: Int) -> ReportTable {
        let several = files.count > 1
        var table = ReportTable(
            "Largest types",
            (several ? ["type", "files", "types"] : ["type", "types"]) + Self.parts)
        for (name, use) in largestTypes(limit) {
            let counts: [ReportTable.Cell] =
                (several ? [.number(use.files)] : []) + [.number(use.sum.types)]
            table.rows.append([.text(name.title)] + counts + cells(use.sum.bytes))
        }
        table.note = more(types.keys.count { !$0.isMany }, limit, "names")
        return table
    }

    private func unitTable(_ limit: Int) -> ReportTable {
        var table = ReportTable("Source files", ["file", "types", "bytes", "share", "source"])
        let units = files.flatMap { file in file.units.map { (file.name, $0) } }
            .sorted { a, b in
                let (one, other) = (a.1.sum.bytes.total, b.1.sum.bytes.total)
                return one != other ? one > other : (a.0, a.1.name) < (b.0, b.1.name)
            }
        for (file, unit) in units.prefix(limit) {
            table.rows.append([
                .text(file), .number(unit.sum.types), .number(unit.sum.bytes.total),
                .share(unit.sum.bytes.total, of: total), .text(unit.name),
            ])
        }
        table.note = more(units.count, limit, "source files")
        return table
    }

    private func reasonTable(_ limit: Int) -> ReportTable {
        var table = ReportTable("Why types are there", ["file", "bytes", "type", "from"])
        let reasons = files.flatMap { file in file.reasons.map { (file.name, $0) } }
            .sorted { a, b in
                if a.1.bytes != b.1.bytes { return a.1.bytes > b.1.bytes }
                return a.1.type != b.1.type ? a.1.type < b.1.type : a.0 < b.0
            }
        for (file, reason) in reasons.prefix(limit) {
            table.rows.append([
                .text(file), .number(reason.bytes), .text(reason.type.title),
                .text(
                    reason.chain?.steps.joined(separator: " > ")
                        ?? "debug information only: nothing refers to it"),
            ])
        }
        return table
    }

    private func repeatTable(_ limit: Int) -> ReportTable {
        var table = ReportTable(
            "Also in the base", ["file", "bytes", "type", "nearest difference"])
        for (file, type) in largestRepeats(limit) {
            let steps = type.difference.map { $0.steps + [$0.text] } ?? ["not found"]
            table.rows.append([
                .text(file), .number(type.bytes), .text(type.type.title),
                .text(steps.joined(separator: " > ")),
            ])
        }
        let all = repeatedSum
        table.note = "\(all.types) types that the base has as well: \(all.bytes.total) bytes"
        return table
    }

    private func more(_ count: Int, _ limit: Int, _ what: String) -> String {
        count > limit ? "and \(count - limit) more \(what)" : ""
    }
}

extension SizeDrift {
    /// - Parameter limit: rows of those that could have one for each type or file.
    package func tables(limit: Int) -> [ReportTable] {
        var kinds = table("Bytes by kind", "kind", self.kinds, .max)
        for part in common where part.old != 0 || part.new != 0 { kinds.rows.append(row(part)) }
        kinds.rows.append([
            .text("total"), .number(old), .number(new), .change(new - old),
            .text(
                new < old
                    ? State.shrunk.rawValue : new > old ? State.grown.rawValue : State.same.rawValue
            ),
        ])
        return [
            kinds, table("Files that changed", "file", files, limit),
            table("Types that changed", "type", types, limit),
        ].filter { !$0.rows.isEmpty }
    }

    private func table(
        _ title: String, _ heading: String, _ changes: [Change], _ limit: Int
    ) -> ReportTable {
        var table = ReportTable(title, [heading, "before", "after", "change", "state"])
        table.rows = changes.prefix(limit).map(row)
        if changes.count > limit { table.note = "and \(changes.count - limit) more" }
        return table
    }

    private func row(_ change: Change) -> [ReportTable.Cell] {
        [
            .text(change.name), change.old.map { .number($0) } ?? .nothing,
            change.new.map { .number($0) } ?? .nothing, .change(change.delta),
            .text(change.state.rawValue),
        ]
    }
}
