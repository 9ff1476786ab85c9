// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Console
import HostIO

/// How the BTF of two trees differs: module by module, and the kernels that the modules continue.
struct TreeComparison: Sendable {
    /// A module that both trees have, or the kernel.
    struct Member: Sendable {
        let name: String
        let comparison: Comparison
    }

    /// What the kernel's types are listed as.
    static let kernelName = "vmlinux"

    /// Those that differ, the kernel first.
    let changed: [Member]
    let equal: Int
    let onlyA: [String]
    let onlyB: [String]
    /// Modules of both trees that have BTF in the other one only.
    let withoutBTFInA: [String]
    let withoutBTFInB: [String]
    /// What could not be compared, in either tree.
    let faultsInA: [TreeSide.Fault]
    let faultsInB: [TreeSide.Fault]
    /// Directories of the trees could not be listed: modules may be there that seem to be missing.
    private let mayLackInA: Bool
    private let mayLackInB: Bool
    /// The counts of all members.
    let sum: Comparison

    /// - Parameters:
    ///   - selection: only these types are compared and counted.
    ///   - limit: how many differences are described in all.
    init(_ a: TreeSide, _ b: TreeSide, selection: TypeSelection, limit: Int) {
        let names = Set(a.entries.keys).union(b.entries.keys).sorted()
        onlyA = names.filter { b.entries[$0] == nil }
        onlyB = names.filter { a.entries[$0] == nil }
        (faultsInA, faultsInB) = (a.faults, b.faults)
        (mayLackInA, mayLackInB) = (!a.isComplete, !b.isComplete)
        let broken = Set((a.faults + b.faults).map(\.name))
        var pairs: [(name: String, a: BTF, b: BTF)] = []
        var (lackingA, lackingB): ([String], [String]) = ([], [])
        for name in names where !broken.contains(name) {
            guard let one = a.entries[name], let other = b.entries[name] else { continue }
            switch (one.btf, other.btf) {
            case (let mine?, let theirs?): pairs.append((name, mine, theirs))
            case (nil, _?): lackingA.append(name)
            case (_?, nil): lackingB.append(name)
            case (nil, nil): continue
            }
        }
        withoutBTFInA = lackingA
        withoutBTFInB = lackingB
        // Indexed once, for themselves and for the modules that continue them.
        let kernels = parallelMap(count: 2, jobs: 2) { side in
            (side == 0 ? a.kernel : b.kernel).map { CanonicalIndex($0) }
        }
        let found = pairs
        var members = parallelMap(count: found.count, jobs: onlineProcessorCount) { index in
            let pair = found[index]
            return Member(
                name: pair.name,
                comparison: compare(
                    CanonicalIndex(pair.a, base: kernels[0]),
                    CanonicalIndex(pair.b, base: kernels[1]), selection: selection, limit: limit))
        }
        if let one = kernels[0], let other = kernels[1] {
            members.insert(
                Member(
                    name: Self.kernelName,
                    comparison: compare(one, other, selection: selection, limit: limit)), at: 0)
        }
        var sum = Comparison()
        var left = limit
        var changed: [Member] = []
        for member in members {
            sum.addCounts(of: member.comparison)
            guard !member.comparison.isEqual else { continue }
            var comparison = member.comparison
            comparison.describe(atMost: left)
            left -= comparison.differences.count
            changed.append(Member(name: member.name, comparison: comparison))
        }
        self.changed = changed
        self.sum = sum
        equal = members.count - changed.count
    }

    var isEqual: Bool {
        changed.isEmpty && onlyA.isEmpty && onlyB.isEmpty && withoutBTFInA.isEmpty
            && withoutBTFInB.isEmpty && faultsInA.isEmpty && faultsInB.isEmpty
    }

    // MARK: Text

    /// Counts of modules, of types, the modules that differ, and then the differences.
    func text() -> [UInt8] {
        var text =
            "modules: \(changed.count) changed, \(onlyA.count) only in A, \(onlyB.count) only in B, "
            + "\(equal) equal\n"
        for (title, names) in [
            (Self.title("A", isSure: !mayLackInB, other: "B"), onlyA),
            (Self.title("B", isSure: !mayLackInA, other: "A"), onlyB),
            ("without BTF in A only", withoutBTFInA), ("without BTF in B only", withoutBTFInB),
            ("cannot be read in A", faultsInA.map(\.name)),
            ("cannot be read in B", faultsInB.map(\.name)),
        ] where !names.isEmpty {
            let shown = names.prefix(8).map(\.shown).joined(separator: ", ")
            text += "\(title): \(shown)\(names.count > 8 ? " and \(names.count - 8) more" : "")\n"
        }
        guard !changed.isEmpty else { return Array(text.utf8) }
        var out = Array((text + "\n").utf8) + sum.countLines()
        var table = Table(headings: ["MODULE", "CHANGED", "ONLY IN A", "ONLY IN B", "IN BOTH"])
        for member in changed {
            let count = member.comparison.total
            table.add(
                [member.name]
                    + [
                        count.changed, count.onlyA - count.changed, count.onlyB - count.changed,
                        count.common,
                    ].map { String($0) })
        }
        out += Array("\n\(table.text)".utf8)
        for member in changed where !member.comparison.differences.isEmpty {
            out += Array("\n\(member.name.shown):\n".utf8) + member.comparison.differenceLines()
        }
        let omitted = changed.reduce(0) { $0 + $1.comparison.omitted }
        if omitted > 0 { out += Array("\nand \(omitted) more (--limit)\n".utf8) }
        return out
    }

    private static func title(_ side: String, isSure: Bool, other: String) -> String {
        isSure ? "only in \(side)" : "not found in \(other), parts of which cannot be listed"
    }

    // MARK: JSON

    func write(to json: inout JSONWriter) {
        json.field("equal", isEqual)
        json.object("modules") { json in
            json.field("changed", changed.count)
            json.field("only_a", onlyA.count)
            json.field("only_b", onlyB.count)
            json.field("equal", equal)
        }
        sum.writeCounts(to: &json)
        json.field("only_a", onlyA)
        json.field("only_b", onlyB)
        json.field("without_btf_a", withoutBTFInA)
        json.field("without_btf_b", withoutBTFInB)
        let faults = faultsInA.map { ("a", $0) } + faultsInB.map { ("b", $0) }
        json.array("failures", faults, onLines: true) { json, fault in
            json.object { json in
                json.field("side", fault.0)
                json.field("name", fault.1.name)
                fault.1.failure.write(to: &json)
            }
        }
        json.array("files", changed, onLines: true) { json, member in
            json.object { json in
                json.field("module", member.name)
                member.comparison.write(to: &json)
            }
        }
        json.field("omitted", changed.reduce(0) { $0 + $1.comparison.omitted })
        json.field("repeats_a", sum.repeatsA)
        json.field("repeats_b", sum.repeatsB)
    }
}
