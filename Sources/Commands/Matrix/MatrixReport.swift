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
        all.allSatisfy { $0.trouble == nil } && disagreements == 0 && unproved == 0
    }

    func text(paint: Paint) -> String {
        var table = Table(headings: ["MODULE"] + columns.map(\.kernel))
        for (row, module) in modules.enumerated() {
            table.add([module] + columns.map { $0.cells[row].text })
        }
        var text = table.text
        for column in columns {
            guard let failure = column.withoutBase else { continue }
            text +=
                "not looked at: whether BTF fits \(column.kernel): \(failure.message.shown)\n"
        }
        for column in columns {
            for cell in column.cells where cell.agrees == false {
                text += MatrixReport.disagreement(cell, column.kernel, paint)
            }
        }
        let unseen = columns.filter { $0.withoutBase != nil }.flatMap(\.cells)
            .count { $0.trouble == nil }
        let good = all.count { $0.trouble == nil } - unseen
        text +=
            (good == all.count
                ? paint.good("all load") : paint.bad("\(good) of \(all.count) load"))
            + " with BTF" + (unseen == 0 ? "" : ", \(unseen) with or without it") + "\n"
        return isProved ? text + proofs(paint) : text
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
