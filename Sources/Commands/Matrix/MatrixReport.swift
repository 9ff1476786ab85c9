// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console

/// Modules, kernels, and the result for each pair.
struct MatrixReport {
    struct Column {
        let kernel: String
        /// Why its BTF was not found.
        let withoutBase: Failure?
        /// One for each module.
        var cells: [MatrixCell]
    }

    let modules: [String]
    var columns: [Column]
    /// Kernels were asked.
    var isProved = false

    private var all: [MatrixCell] { columns.flatMap(\.cells) }
    private var disagreements: Int { all.count { $0.agrees == false } }
    private var unproved: Int {
        all.count { if case .failed = $0.proof { true } else { false } }
    }

    /// Every module loads with its BTF everywhere, and the kernels that were asked agree.
    var isGood: Bool {
        all.allSatisfy(\.isGood) && disagreements == 0 && unproved == 0
    }

    func text(paint: Paint, isVerbose: Bool = false) -> String {
        var table = Table(headings: ["MODULE"] + columns.map(\.kernel))
        for (row, module) in modules.enumerated() {
            table.add([module] + columns.map { $0.cells[row].text })
        }
        var text = table.text
        for file in columns.first?.cells.compactMap(\.unread) ?? [] { text += file.text }
        for column in columns {
            if let failure = column.withoutBase {
                text +=
                    "not looked at: whether BTF fits \(column.kernel): \(failure.message.shown)\n"
            }
            text += MatrixReport.doubts(column, isVerbose)
        }
        for column in columns {
            for cell in column.cells where cell.agrees == false {
                text += MatrixReport.disagreement(cell, column.kernel, paint)
            }
        }
        let unseen = columns.filter { $0.withoutBase != nil }.flatMap(\.cells)
            .count(where: \.isGood)
        let good = all.count(where: \.isGood) - unseen
        let unread = all.count { $0.unread != nil }
        text +=
            (good == all.count
                ? paint.good("all load") : paint.bad("\(good) of \(all.count) load"))
            + " with BTF" + (unseen == 0 ? "" : ", \(unseen) with or without it")
            + (unread == 0 ? "" : ", \(unread) not read") + "\n"
        return isProved ? text + proofs(paint) : text
    }

    /// Why a kernel may answer otherwise, with the modules that each reason is about.
    private static func doubts(_ column: Column, _ isVerbose: Bool) -> String {
        var reasons: [String] = []
        var modules: [String: [String]] = [:]
        for cell in column.cells {
            // The reason why its BTF was not found is known.
            for doubt in cell.doubts
            where column.withoutBase == nil || doubt != ModuleExam.withoutBase {
                if modules[doubt] == nil { reasons.append(doubt) }
                modules[doubt, default: []].append(cell.module)
            }
        }
        return reasons.map { reason in
            let names = modules[reason] ?? []
            let shown = isVerbose ? names.count : 8
            return "doubt: \(column.kernel.shown): \(reason.shown): "
                + names.prefix(shown).map(\.shown).joined(separator: ", ")
                + (names.count > shown ? " and \(names.count - shown) more" : "") + "\n"
        }.joined()
    }

    private static func disagreement(
        _ cell: MatrixCell, _ kernel: String, _ paint: Paint
    ) -> String {
        guard case .answered(let answer, let rebased) = cell.proof else { return "" }
        var text =
            paint.bad("DISAGREES") + ": \(cell.module.shown) on \(kernel.shown): predicted "
            + "'\(cell.word)', the kernel answered '\(answer.word)'"
        if let rebased { text += ", and '\(rebased.word)' to the rebased module" }
        text += "\n"
        for line in (answer.lines + (rebased?.lines ?? [])).prefix(20) {
            text += "  \(line.shown)\n"
        }
        return text
    }

    private func proofs(_ paint: Paint) -> String {
        let asked = all.count { $0.agrees != nil }
        var text = "\(asked) of \(all.count) cells proved"
        text +=
            disagreements == 0
            ? asked == 0 ? "" : ", \(paint.good("all as predicted"))"
            : ", \(paint.bad("\(disagreements) not as predicted"))"
        if unproved > 0 { text += "; \(paint.bad("\(unproved) could not be proved"))" }
        return text + "\n"
    }

    func write(to json: inout JSONWriter) {
        json.field("kernels", columns.map(\.kernel))
        if isProved {
            json.field("disagreements", disagreements)
            json.field("unproved", unproved)
        }
        json.key("cells")
        let pairs = modules.indices.flatMap { row in columns.indices.map { (row, $0) } }
        json.array(pairs, onLines: true) { json, pair in
            let column = columns[pair.1]
            column.cells[pair.0].write(
                to: &json, kernel: column.kernel, isBTFChecked: column.withoutBase == nil)
        }
    }
}
