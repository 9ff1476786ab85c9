// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// Why a module's BTF does not fit the BTF of the kernel that is to load it; nil if it fits.
///
/// - Parameters:
///   - bytes: split BTF, whole.
///   - distilledBase: its `.BTF.base`.
///   - own: the base that it was built against, if known.
///   - kernel: the kernel's own BTF.
///   - name: the kernel BTF's name in messages.
package func checkFit(
    _ bytes: ByteView, distilledBase: ByteView?, madeOn own: BTF?, on kernel: BTF,
    named name: String, rules: TargetRules
) -> TargetReport? {
    var report = TargetReport(rules: rules, findings: CheckReport(limit: 1))
    report.program = .doesNotApply
    guard rules.has(.moduleBTF) else { return nil }
    if let distilledBase {
        // Older kernels ignore it, which `checkTarget` reports.
        guard rules.has(.distilledBase), let small = try? BTF.parse(distilledBase),
            let btf = try? BTF.parse(bytes, base: small)
        else { return nil }
        do throws(RelocationError) {
            _ = try btf.relocated(onto: kernel)
            return nil
        } catch {
            report.findings.add(
                .error, error.rule?.rawValue ?? "D", offset: error.offset,
                "\(error.message), on \(name)")
            report.kernel = .refuses(error.rule == .string ? .notFound : .invalid)
            return report
        }
    }
    let onKernel = check(bytes, base: kernel, limit: 1)
    var other = OtherBase(bytes, on: kernel, report: onKernel)
    if other == nil, let own, let btf = try? BTF.parse(bytes, base: own) {
        other = OtherBase(btf, notOn: kernel, report: onKernel)
    }
    guard let other else { return nil }
    report.findings = CheckReport(other, on: name)
    report.kernel = .isOfAnotherBase(refusedWith: other.isRefused ? .invalid : nil)
    return report
}
