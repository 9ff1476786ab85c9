// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import Console
import KernelTree

/// Distills the BTF of one file.
struct DistillFile: Sendable {
    let force: Bool
    let dryRun: Bool
    /// Describe the result in the module's modinfo.
    let marks: Bool

    func run(
        _ file: ModuleBTF, _ base: MoveBase, detached: String?, _ outcome: inout MoveBatch.Outcome
    ) throws(Failure) {
        outcome.value.facts = [("form", file.known.form.rawValue), ("base", base.path)]
        outcome.messages += file.markMessages
        if let small = file.distilledBase {
            try file.checkDistilled(small)
            outcome.value.facts.append(("done", "kept"))
            outcome.messages.append(.note("\(file.path): already distilled: left unchanged"))
            if dryRun { outcome.value.line = "\(file.path): already distilled" }
            if let detached, !dryRun { try file.writeAsItIs(detached: detached) }
            return
        }
        try refuseOldKernels(file, base)
        let old = try split(file, base)
        if old.ownIDs.isEmpty {
            outcome.value.facts.append(("done", "kept"))
            outcome.messages.append(
                .note("\(file.path): its BTF has no types, and needs no base: left unchanged"))
            if dryRun { outcome.value.line = "\(file.path): no types to distill" }
            if let detached, !dryRun { try file.writeAsItIs(detached: detached) }
            return
        }
        let sites = try file.inlineSites(on: old)
        let distilled = try file.attempt { () throws(BTFError) in
            try old.distilled(keeping: sites?.needed(below: old) ?? [])
        }
        let new = try file.attempt { () throws(BTFError) in
            try BTF.parse(
                ByteView(distilled.split), base: try BTF.parse(ByteView(distilled.base)))
        }
        do throws(RelocationError) { _ = try new.relocated(onto: base.btf) } catch {
            let refusal = "a kernel with the BTF of \(base.path) would refuse it: \(error.message)"
            guard force else {
                throw Failure(
                    "\(file.path): \(refusal)",
                    hint: "leave it split, or write it anyway with --force")
            }
            outcome.messages.append(.warning("\(file.path): \(refusal)", hint: nil))
        }
        var moved = NewBTF(btf: distilled.split, base: distilled.base)
        if marks { moved.mark = BTFMark(.distilled, on: base.indexed) }
        moved.inline = try file.following(sites, distilled.ids, onto: new)
        moved.ids = try file.renumberIDs(distilled.ids, from: old, to: new, &outcome)?.bytes
        let baseTypes = new.firstID - 1
        let text =
            "\(old.ownIDs.count) types, now \(distilled.typeCount) types, \(distilled.split.count) bytes, "
            + "and \(baseTypes) types, \(distilled.base.count) bytes of base, from \(base.path)"
        outcome.value.facts += [
            ("done", "distilled"), ("types_before", old.ownIDs.count),
            ("types", distilled.typeCount), ("bytes", distilled.split.count),
            ("base_types", baseTypes), ("base_bytes", distilled.base.count),
        ]
        try file.finish(moved, text, detached: detached, dryRun: dryRun, &outcome)
    }

    /// Older kernels ignore `.BTF.base` and read the rest as if it continued their own BTF.
    private func refuseOldKernels(_ file: ModuleBTF, _ base: MoveBase) throws(Failure) {
        if force { return }
        let rules: TargetRules?
        if let own = file.release, let other = base.release, own != other {
            // What that base shows was backported, if it was, to another kernel.
            rules = own.version.flatMap { TargetRules(KernelVersion($0.major, $0.minor)) }
        } else {
            rules = file.target(on: base)?.rules ?? TargetRules(nil, base.index.evidence)
        }
        if let rules, rules.has(.distilledBase) { return }
        let kernel = (file.release ?? base.release).map { "\($0)" } ?? rules.map { "\($0)" }
        throw Failure(
            "\(file.path): its kernel, \(kernel ?? "an old one"), does not read .BTF.base, "
                + "\(KernelAbility.distilledBase.since) and later do",
            hint: "leave it split; --force distills it anyway")
    }

    private func split(_ file: ModuleBTF, _ base: MoveBase) throws(Failure) -> BTF {
        guard !file.known.isStandalone else {
            throw Failure(
                "\(file.path): standalone BTF has no base to distill",
                hint: "kbtf rebase \(file.path) first")
        }
        if let fault = file.misfit(on: base) {
            throw file.failure(
                BTFError(
                    offset: fault.offset,
                    "split BTF, which was not built against \(base.path): \(fault.message)"),
                hint: "specify the base that it was built against with --base FILE")
        }
        return try file.parseSplit(on: base.btf)
    }
}
