// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO

/// The cases of one kernel, with our answers.
package struct VerdictRun {
    package let ground: VerdictGround
    package let cases: [VerdictCase]
    package let rules: TargetRules
    private let kernel: KernelTypes

    package static func rules(_ release: String) -> TargetRules? {
        // 6.1.0-57-cloud-amd64, 7.3-cloud-amd64
        let parts = release.prefix { $0.isNumber || $0 == "." }.split(separator: ".")
            .compactMap { Int($0) }
        return parts.count < 2 ? nil : TargetRules(KernelVersion(parts[0], parts[1]))
    }

    /// How many of the cases are kept with their answers. The others are of files.
    package let keptCount: Int

    /// - Parameters:
    ///   - path: raw BTF of the kernel.
    ///   - files: what of files the kernel is asked, itself and changed.
    ///   - mutants: of each file, if there are no other cases; nil for all kinds of cases.
    package init(
        kernel path: String, _ rules: TargetRules, files: [VerdictCase], seed: UInt64,
        onlyMutants mutants: Int? = nil
    ) throws {
        let btf = try BTF.parse(FileReader.map(path), isForReading: true)
        try self.init(
            VerdictGround(btf), btf, rules, seed: seed,
            VerdictCases.mutants(of: files, seed: seed << 16 + 5, each: mutants ?? 25),
            isOnlyMore: mutants != nil)
    }

    package init(
        _ ground: VerdictGround, _ kernel: BTF, _ rules: TargetRules, seed: UInt64 = 0,
        _ more: [VerdictCase] = [], isOnlyMore: Bool = false
    ) throws {
        self.ground = ground
        // The kernels that are asked are stable releases with this change.
        self.rules = rules.granting([.dottedNames])
        let kept = isOnlyMore ? [] : VerdictCases.all(ground, seed: seed)
        keptCount = kept.count
        cases = kept + more
        self.kernel = KernelTypes(kernel)!
    }

    package func answer(_ one: VerdictCase) -> KernelAnswer {
        switch one.way {
        case .program:
            answerToProgram(
                ByteView(one.btf), kernel: kernel, rules: rules, bigEndian: false)
        case .module:
            answerToModule(
                ByteView(one.btf), distilledBase: one.base.map { ByteView($0) }, kernel: kernel,
                rules: rules, bigEndian: false)
        }
    }

    package func isHarmless(_ one: VerdictCase) -> Bool {
        if one.way == .module, one.btf.isEmpty { return false }
        if case .unpredictable = answer(one) { return false }
        return true
    }
}
