// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// Proof that a module's split BTF was built against another base than the kernel's BTF; nil if it
/// fits.
///
/// - Parameters:
///   - bytes: split BTF, whole.
///   - own: the base that it was built against, if known.
///   - kernel: the kernel's own BTF.
package func otherBase(
    of bytes: ByteView, madeOn own: BTF?, on kernel: BTF
) -> OtherBase? {
    let onKernel = CheckedBTF(bytes, base: kernel, limit: 1)
    if let other = OtherBase(bytes, on: kernel, onKernel) { return other }
    guard let own, let btf = try? BTF.parse(bytes, base: own) else { return nil }
    return OtherBase(btf, notOn: kernel, report: onKernel.report)
}

extension TargetReport {
    /// The one finding is that the module was built against another base.
    package mutating func blame(_ other: OtherBase, on name: String) {
        guard rules.has(.moduleBTF) else { return }
        findings = CheckReport(other, on: name)
        kernel = .isOfAnotherBase(refusedWith: kernelAnswer.refusal?.errno)
    }
}
