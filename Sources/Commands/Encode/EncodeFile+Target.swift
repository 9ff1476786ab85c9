// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Console
import DWARF
import DWARFToBTF
import ELF
import HostIO
import KernelTree

/// `--target`, and how the user wrote it.
struct NamedTarget: Sendable {
    let kernel: KernelTarget
    let name: String
}

extension EncodeFile {
    /// How one file is encoded.
    struct Plan {
        var options: EncodeOptions
        /// The kernel that it is for; nil if nothing is known.
        var target: TargetChoice?
        /// A kernel will read the result. No kernel reads a module's standalone BTF.
        var isForKernel = true

        /// Whether encoding might write BTF that this kernel refuses.
        var isHeldAgainstTarget: Bool {
            target.map { $0.isNamed || isForKernel && !$0.rules.has(.longNames) } ?? false
        }
    }

    /// Determines the file's kernel, and so what to encode.
    func plan(
        _ elf: ELFFile, _ debugInfo: DebugInfo, _ outcome: inout EncodeBatch.Outcome
    ) throws(Failure) -> Plan {
        var plan = Plan(options: options)
        plan.target = TargetChoice(
            named: target?.kernel, target?.name ?? "", signs: signs(elf, debugInfo))
        // Only kernels from 7.0 on have the flag that requests it.
        plan.options.hidesImplicitArguments =
            hidesImplicitArguments
            && (target?.kernel.rules.has(.implicitArguments) ?? !isKernel(elf))
        // kbuild's pahole step leaves that to resolve_btfids.
        plan.options.describesLikeTool =
            hidesImplicitArguments && plan.target?.rules.has(.arenaParameters) == true
        plan.isForKernel = base != nil || isKernel(elf)
        if let choice = plan.target {
            try choose(choice, &plan, &outcome)
            try refuseSplit(for: choice, &outcome)
        }
        guard base != nil || !plan.options.features.contains(.distilledBase) else {
            throw Failure(
                "\(job.path): distilled_base: standalone BTF has no base to distill",
                hint: "specify the base with --base FILE, or omit distilled_base")
        }
        if let base, base.index.evidence.cutsEnums, plan.options.features.contains(.enum64) {
            let reason = "the base \(base.path): its enums have neither signs nor 64 bits"
            if !request.named.contains(.enum64) {
                plan.options.features.remove(.enum64)
                outcome.messages.append(.detail("\(job.path): without enum64, like \(reason)"))
            } else if request.isLenient {
                plan.options.features.remove(.enum64)
                outcome.messages.append(.note("\(job.path): without enum64, like \(reason)"))
            }
        }
        return plan
    }

    private func choose(
        _ choice: TargetChoice, _ plan: inout Plan, _ outcome: inout EncodeBatch.Outcome
    ) throws(Failure) {
        let fitted: FeatureRequest.Fitted
        do throws(Failure) { fitted = try request.fitted(to: choice) } catch {
            throw choice.isNamed ? error : error.about(job.path, others: 0)
        }
        plan.options.features = fitted.features
        // The kernel's own build does both in one step.
        if plan.options.describesLikeTool, fitted.features.contains(.kernelFunctionTags) {
            plan.options.features.insert(.attributes)
        }
        let checksNames =
            plan.isHeldAgainstTarget
            || fitted.features.contains(.globalVariables) && !choice.rules.has(.anySectionName)
        plan.options.target = checksNames ? choice.rules : nil
        for name in fitted.refused {
            outcome.messages.append(
                .note("\(job.path): \(name) is omitted: \(choice) does not accept it"))
        }
        if choice.isNamed { return }
        let without =
            fitted.without.isEmpty
            ? "" : ": without \(fitted.without.joined(separator: ", ")), which it does not take"
        outcome.messages.append(.detail("\(job.path): target: \(choice)\(without)"))
    }

    /// Kernels before 5.11 do not read BTF of modules.
    private func refuseSplit(
        for choice: TargetChoice, _ outcome: inout EncodeBatch.Outcome
    ) throws(Failure) {
        guard base != nil, choice.surelyLacks(.moduleBTF) else { return }
        let reads =
            "\(choice.isNamed ? choice.rules.description : choice.description) reads no BTF of modules, "
            + "\(KernelAbility.moduleBTF.since) and later do"
        guard choice.isNamed else {
            outcome.messages.append(.note("\(job.path): \(reads)"))
            return
        }
        throw Failure(
            "\(job.path): split BTF: \(reads)",
            hint: "--standalone generates BTF for programs that read the file")
    }

    // MARK: Signs

    private func signs(_ elf: ELFFile, _ debugInfo: DebugInfo) -> TargetSigns {
        var signs = TargetSigns()
        if target != nil { return signs }
        signs.base = base.map {
            TargetSigns.Base(path: $0.path, release: $0.release, evidence: $0.index.evidence)
        }
        signs.isKernel = isKernel(elf)
        if signs.isKernel || elf.section(named: ".modinfo") != nil {
            signs.own = KernelRelease.of(elf)
        }
        if let kbuildTree { signs.trees.append(kbuildTree) }
        if let base {
            let slash = base.path.lastIndex(of: "/")
            signs.trees.append(KernelTreePlace(slash.map { String(base.path[..<$0]) } ?? "."))
        }
        if !signs.isKernel, let release = signs.own {
            signs.trees += (["/"] + roots).map {
                KernelTreePlace(
                    ($0 == "/" ? "" : $0) + "/lib/modules/\(release)/build")
            }
        }
        if signs.isKernel {
            signs.ownEvidence = { TargetEvidence(names: debugInfo.data.bytes(of: .str)) }
        }
        return signs
    }

    private func isKernel(_ elf: ELFFile) -> Bool {
        elf.type != ELFType.relocatable && elf.section(named: ".init.text") != nil
    }

    // MARK: The result

    /// For a named target, sorts types into the order in which it looks them up. Throws if the
    /// kernel would refuse the BTF and nothing can be omitted to prevent that.
    func fit(
        _ encoded: inout Encoded, _ whole: BTF?, to choice: TargetChoice
    ) throws(Failure) {
        let target = choice.rules
        let report: TargetReport
        do throws(BTFError) {
            let base = try encoded.base.map { bytes throws(BTFError) in
                try BTF.parse(ByteView(bytes))
            }
            var btf = try BTF.parse(ByteView(encoded.bytes), base: base ?? whole)
            if choice.isNamed, target.has(.sortedNames) {
                btf = try btf.sortedByName()
                encoded.bytes = btf.serialized()
            }
            var subject = TargetSubject(
                ByteView(encoded.bytes),
                btf.isSplit ? .module(bringsBase: base != nil) : .whole)
            subject.distilledBase = encoded.base.map { ByteView($0) }
            report = checkTarget(subject, btf, rules: target, limit: 100)
        } catch { throw Failure("\(job.path): .BTF\(error)") }
        guard case .refuses = report.kernel else { return }
        let finding = report.findings.firstError
        throw Failure(
            "\(job.path): .BTF\(finding?.description ?? ""): cannot be expressed in BTF for "
                + (choice.isNamed ? target.description : choice.description),
            hint: choice.isNamed
                ? "omit --target to write it anyway"
                : "specify the kernel with --target, if it is another one")
    }
}
