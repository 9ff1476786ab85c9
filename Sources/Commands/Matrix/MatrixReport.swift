// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import Diagnosis

/// What one kernel does with one module.
struct MatrixCell: Sendable {
    /// The first trouble of those with the worst effect; nil for a module that loads with its BTF.
    let trouble: BTFTrouble?
    /// `kbtf rebase` puts it right.
    let rebaseHelps: Bool

    /// - Parameter base: the kernel's BTF.
    init(_ troubles: [BTFTrouble], onto base: String?, _ surroundings: Surroundings) {
        let worst = troubles.map(\.effect).max()
        // What only concerns the next build is no matter of loading.
        trouble = worst == .nextBuild ? nil : troubles.first { $0.effect == worst }
        let rebase = trouble.map { Cure(["kbtf", "rebase", $0.subject], isHarmless: true) }
        rebaseHelps =
            trouble?.cause == .otherBase && base != nil
            && troubles.allSatisfy { $0.cause == .otherBase || $0.effect == .nextBuild }
            && rebase.map { CureRun.trial(of: $0, onto: base, surroundings) } == .works
    }

    var word: String {
        guard let trouble else { return "loads" }
        let verdict = trouble.effect == .notLoaded ? "refused" : "no BTF"
        return "\(verdict): \(trouble.cause.rawValue)" + (rebaseHelps ? " (rebase helps)" : "")
    }
}

/// Modules, kernels, and what comes of each pair.
struct MatrixReport {
    private let modules: [String]
    private let columns: [(kernel: String, withoutBase: Failure?, cells: [MatrixCell])]

    init(
        _ modules: [String], _ columns: [(String, Failure?, [MatrixCell])]
    ) {
        self.modules = modules
        self.columns = columns
    }

    var isGood: Bool { columns.allSatisfy { $0.cells.allSatisfy { $0.trouble == nil } } }

    func text(paint: Paint) -> String {
        var table = Table(headings: ["MODULE"] + columns.map(\.kernel))
        for (row, module) in modules.enumerated() {
            table.add([module] + columns.map { $0.cells[row].word })
        }
        var text = table.text
        for column in columns {
            guard let failure = column.withoutBase else { continue }
            text +=
                "not looked at: whether BTF fits \(column.kernel): \(failure.message.shown)\n"
        }
        let all = columns.flatMap(\.cells)
        let good = all.count { $0.trouble == nil }
        return text
            + (good == all.count
                ? paint.good("all load") : paint.bad("\(good) of \(all.count) load"))
            + " with BTF\n"
    }

    func write(to json: inout JSONWriter) {
        json.field("kernels", columns.map(\.kernel))
        json.key("cells")
        let pairs = modules.indices.flatMap { row in columns.indices.map { (row, $0) } }
        json.array(pairs, onLines: true) { json, pair in
            let column = columns[pair.1]
            let cell = column.cells[pair.0]
            json.object { json in
                json.field("module", modules[pair.0])
                json.field("kernel", column.kernel)
                json.field("loads", cell.trouble?.effect != .notLoaded)
                json.field("with_btf", cell.trouble == nil)
                json.field("cause", cell.trouble?.cause.rawValue)
                json.field("evidence", cell.trouble?.evidence ?? [])
                json.field("rebase_helps", cell.rebaseHelps)
                json.field("btf_checked", column.withoutBase == nil)
            }
        }
    }
}
