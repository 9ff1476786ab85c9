// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import Console
import ELF
import KernelTree

/// Moves the BTF of one file to another base.
struct RebaseFile: Sendable {
    let renumberOnly: Bool
    let force: Bool
    let dryRun: Bool
    /// List all types that the base defines differently.
    let listsAllDiffering: Bool
    /// Refuse results that the kernel will refuse as modules.
    let strict: Bool
    /// Describe the result in the module's modinfo.
    let marks: Bool
    /// The current base of split BTF, if known.
    let from: MoveBase?

    /// How a file's BTF was processed.
    private enum Way: String {
        /// It already fits the base.
        case kept
        /// Standalone BTF, deduplicated against the base.
        case deduplicated
        /// Standalone BTF with ids behind the base's.
        case renumbered
        /// Distilled BTF, by the kernel's rules.
        case relocated
        /// Split BTF of another base.
        case rebased
    }

    private struct Step {
        let way: Way
        let old: BTF
        /// What `.BTF.inline` says on it.
        var sites: BTF?
        let result: Rebased
    }

    func run(
        _ file: ModuleBTF, onto base: MoveBase, detached: String?,
        _ outcome: inout MoveBatch.Outcome
    ) throws(Failure) {
        outcome.value.facts = [
            ("form", file.known.form.rawValue), ("sure", file.known.isSure),
            ("signs", file.known.signs), ("base", base.path),
        ]
        outcome.messages.append(.detail("\(file.path): \(file.known.description())"))
        outcome.messages += file.markMessages
        let target = file.target(on: base)
        if let target { outcome.messages.append(.detail("\(file.path): target: \(target)")) }
        guard let step = try step(file, base, target) else {
            outcome.value.facts.append(("done", Way.kept.rawValue))
            outcome.messages.append(
                .note("\(file.path): already fits \(base.path): left unchanged"))
            if dryRun { outcome.value.line = "\(file.path): already fits \(base.path)" }
            if let detached, !dryRun { try file.writeAsItIs(detached: detached) }
            return
        }
        let btf = try sound(step.result, on: base, file)
        try refuse(btf, step.result, target, file)
        var moved = NewBTF(btf: step.result.bytes)
        if marks { moved.mark = BTFMark(.split, on: base.indexed) }
        moved.inline = try file.following(step.sites, step.result.ids, onto: btf)
        let ids = try file.renumberIDs(step.result.ids, from: step.old, to: btf, &outcome)
        moved.ids = ids?.bytes
        let text =
            "\(step.old.ownIDs.count) types, \(step.way.rawValue), now \(step.result.typeCount) types, "
            + "\(step.result.bytes.count) bytes, split, on \(base.path) (\(base.how))"
            + (ids?.text ?? "")
        outcome.value.facts += [
            ("done", step.way.rawValue), ("types_before", step.old.ownIDs.count),
            ("types", step.result.typeCount), ("bytes", step.result.bytes.count),
        ]
        if step.way != .renumbered { try tellDiffering(btf, file, base, &outcome) }
        try file.finish(moved, text, detached: detached, dryRun: dryRun, &outcome)
    }

    // MARK: Ways

    /// nil if the file already fits the base.
    private func step(
        _ file: ModuleBTF, _ base: MoveBase, _ target: TargetChoice?
    ) throws(Failure) -> Step? {
        if let small = file.distilledBase {
            if renumberOnly { throw refusal(file) }
            let old = try file.parseDistilled(small)
            let sites = try file.inlineSites(on: old)
            do throws(RelocationError) {
                return Step(
                    way: .relocated, old: old, sites: sites,
                    result: try old.relocated(onto: base.btf))
            } catch { throw file.failure(error, base: base.path) }
        }
        if file.known.isStandalone { return try standalone(file, base, target) }
        let misfit = file.misfit(on: base)
        if renumberOnly, misfit != nil { throw refusal(file) }
        let other = from.flatMap { file.misfit(on: $0) }
        guard let from, other == nil else {
            guard let misfit else {
                _ = try file.parseSplit(on: base.btf)
                return nil
            }
            throw other.map { notMade(on: from?.path ?? "", $0, file, hint: nil) }
                ?? notMade(
                    on: base.path, misfit, file,
                    hint:
                        "specify the base that it was built against with --from FILE, or kbtf encode \(file.path)"
                )
        }
        let old = try file.parseSplit(on: from.btf)
        let sites = try file.inlineSites(on: old)
        let needed = (file.ids?.filledIn ?? []) + (sites?.needed(below: old) ?? [])
        return try file.attempt { () throws(BTFError) in
            Step(
                way: .rebased, old: old, sites: sites,
                result: try old.rebased(
                    onto: base.index, keeping: needed,
                    without: missing(target)))
        }
    }

    private func standalone(
        _ file: ModuleBTF, _ base: MoveBase, _ target: TargetChoice?
    ) throws(Failure) -> Step {
        guard file.known.isSure || force else {
            throw Failure(
                "\(file.path): not surely standalone BTF: \(file.known.signs.joined(separator: ", "))",
                hint: "kbtf rebase --force \(file.path), if it is standalone")
        }
        let old = try file.parseStandalone()
        let sites = try file.inlineSites(on: old)
        return try file.attempt { () throws(BTFError) in
            renumberOnly
                ? Step(
                    way: .renumbered, old: old, sites: sites,
                    result: try old.renumbered(onto: base.index))
                : Step(
                    way: .deduplicated, old: old, sites: sites,
                    result: try old.rebased(onto: base.index, without: missing(target)))
        }
    }

    /// Kinds, and tags with the kind flag, that the kernel does not accept.
    private func missing(_ target: TargetChoice?) -> Set<KernelAbility> {
        guard let target else { return [] }
        let all = KernelAbility.listedKinds.map(\.ability) + [.flaggedTags]
        return Set(all.filter { !target.rules.has($0) })
    }

    private func notMade(
        on base: String, _ misfit: BTFError, _ file: ModuleBTF, hint: String?
    ) -> Failure {
        file.failure(
            BTFError(
                offset: misfit.offset,
                "split BTF, which was not built against \(base): \(misfit.message)"), hint: hint)
    }

    private func refusal(_ file: ModuleBTF) -> Failure {
        Failure(
            "\(file.path): --renumber-only is for standalone BTF, but this is \(file.known.form.rawValue)",
            hint: "kbtf rebase \(file.path)")
    }

    // MARK: Results

    /// The result, read over its base. Unsound BTF is not written.
    private func sound(
        _ result: Rebased, on base: MoveBase, _ file: ModuleBTF
    ) throws(Failure) -> BTF {
        let btf = try file.attempt { () throws(BTFError) in
            try BTF.parse(
                ByteView(result.bytes), base: base.btf, filePointerSize: file.elf?.pointerSize)
        }
        if let fault = check(btf).firstError {
            throw Failure(
                "\(file.path): its BTF would be unsound on \(base.path): \(fault)",
                hint: "kbtf check \(file.path)")
        }
        return btf
    }

    /// BTF that its kernel would refuse is not written.
    private func refuse(
        _ btf: BTF, _ result: Rebased, _ target: TargetChoice?, _ file: ModuleBTF
    ) throws(Failure) {
        // Newer kernels refuse nothing that was accepted before, except what is newer than they.
        guard let target,
            !target.rules.has(.longNames)
                || !target.rules.has(.inlineSites) && btf.hasKinds(of: .inlineSites)
        else { return }
        let report = checkTarget(
            TargetSubject(ByteView(result.bytes), .module(bringsBase: false)), btf,
            rules: target.rules)
        guard case .refuses = report.kernel else { return }
        let finding = report.findings.firstError
        throw Failure(
            "\(file.path): .BTF\(finding?.description ?? ""): \(target) refuses it",
            hint: "kbtf encode \(file.path), if it was built with -g")
    }

    /// What the move does not solve.
    ///
    /// - Throws: with `strict`, if the kernel will refuse the module.
    private func tellDiffering(
        _ btf: BTF, _ file: ModuleBTF, _ base: MoveBase, _ outcome: inout MoveBatch.Outcome
    ) throws(Failure) {
        let differing = DifferingTypes(btf, in: base.index)
        outcome.value.facts += [
            ("differing", differing.themselves),
            ("differing_below", differing.below),
        ]
        outcome.messages += differing.messages(
            file.path, base: base.path, listsAll: listsAllDiffering)
        guard let refusal = differing.refusal(file.path, base: base.path) else { return }
        let hint = "build the module for that kernel"
        if strict { throw Failure(refusal, hint: hint) }
        outcome.messages.append(.warning(refusal, hint: hint))
    }
}

extension RenumberedIDs {
    var text: String {
        var text = ""
        if found > 0 { text += ", \(found) more of its ids filled in" }
        return text
    }

    /// What may be missed.
    func messages(_ path: String) -> [Talk.Message] {
        var messages: [Talk.Message] = []
        if lost > 0 {
            messages.append(
                .note("\(path): .BTF_ids: \(lost) ids are now 0: their types are not in the BTF"))
        }
        if unresolved > 0 {
            messages.append(
                .note(
                    "\(path): .BTF_ids: \(unresolved) words are 0: there is no type with that name")
            )
        }
        return messages
    }
}

extension RenumberedIDs: JSONValue {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("lost", lost)
            json.field("found", found)
            json.field("unresolved", unresolved)
        }
    }
}
