// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Console
import ELF
import KernelTree

extension ResolveBTFIDsJob {
    /// From 7.3 on resolve_btfids describes kernel functions, and compares types again. Before,
    /// pahole did, and resolve_btfids only hid implicit arguments. The command lines are the same.
    struct Division {
        /// The kernel's build has pahole describe them.
        let isPaholes: Bool
        /// The kernel is known to have this tool do it.
        let isCertainlyOurs: Bool

        init(_ release: KernelRelease?) {
            let version = release?.version.map { KernelVersion($0.major, $0.minor) }
            isPaholes = version.map { $0 < KernelAbility.arenaParameters.since } ?? false
            isCertainlyOurs = version != nil && !isPaholes
        }
    }

    /// Describes what `.BTF_ids` lists as kernel functions, as far as pahole did not.
    ///
    /// - Parameter warnings: incremented by the warnings that were printed.
    /// - Returns: the BTF, and whether types in it may be repeated.
    func describeKernelFunctions(
        in btf: BTF, _ section: IDSection, _ old: BTF?, _ split: SplitWithoutBase?,
        _ division: Division, _ warnings: inout Int
    ) throws(Refusal) -> (btf: BTF, isTagged: Bool) {
        let listed = section.listedFunctions(old: old, withoutBase: split)
        var functions = listed.functions
        if division.isPaholes {
            let tagged = btf.taggedKernelFunctions(among: Set(functions.map(\.name)))
            functions.removeAll { tagged.contains($0.name) }
        } else {
            try report(listed, of: section, in: btf, &warnings)
        }
        var btf = btf
        var isTagged = false
        var hidden: [String] = []
        do throws(BTFError) {
            let described = try btf.describing(functions)
            (btf, hidden, isTagged) = (described.btf, described.hidden, described.isTagged)
            let names = section.functionsWithImplicitArguments(old: old, withoutBase: split)
            // Outside sets of kernel functions, or listed with other flags: tags decide.
            let others = try btf.hidingImplicitArguments(
                of: division.isCertainlyOurs ? [] : names)
            btf = others.btf
            hidden += others.functions
            for function in btf.functionsLeftWhole(among: names) {
                warn(ResolveBTFIDsMessage.leftWhole(function.name), &warnings)
            }
        } catch {
            throw Refusal("ERROR: resolve_btfids: \(error.message) (\(btfPath)\(error.place))")
        }
        for name in hidden {
            talk.detail("resolve_btfids: \(name): implicit arguments are hidden")
        }
        return (btf, isTagged)
    }

    /// Types once each, as the kernel's tool has them since it adds types itself.
    func deduplicated(_ btf: BTF) throws(Refusal) -> BTF {
        do throws(BTFError) {
            return try btf.deduplicated(over: btf.base.map { BaseIndex($0) })
        } catch {
            throw Refusal("FAILED to dedup BTF: \(btfPath)\(error)")
        }
    }

    private func report(
        _ listed: IDSection.ListedFunctions, of section: IDSection, in btf: BTF,
        _ warnings: inout Int
    ) throws(Refusal) {
        for entry in listed.nameless {
            warn(
                ResolveBTFIDsMessage.nameless(section.sets[entry.set].name, entry.number),
                &warnings)
        }
        let own = btf.ownFunctions(among: Set(listed.listings.lazy.map(\.name)))
        for listing in listed.listings where !own.contains(listing.name) {
            warn(
                ResolveBTFIDsMessage.notInBTF(listing.name, section.sets[listing.set].name),
                &warnings)
        }
        guard let conflict = listed.conflicts.first(where: { own.contains($0.name) }) else {
            return
        }
        talk.note("ERROR: resolve_btfids: \(conflict)")
        throw Refusal(
            "ERROR: resolve_btfids: failed to collect kfuncs from BTF",
            hint: "give it the same flags wherever the source lists it with BTF_ID_FLAGS()")
    }

    func warn(_ line: String, _ warnings: inout Int) {
        talk.note(line)
        warnings += 1
    }
}
