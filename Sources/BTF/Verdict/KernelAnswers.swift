// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// What a kernel answers when it loads a module.
///
/// - Parameters:
///   - bytes: the module's `.BTF`, any bytes.
///   - distilledBase: its `.BTF.base`, any bytes. Kernels that do not know it read the module
///     without.
///   - kernel: the kernel's own types; nil if they are not known, which leaves out relocation.
package func answerToModule(
    _ bytes: ByteView, distilledBase: ByteView?, kernel: KernelTypes?, rules: TargetRules,
    bigEndian: Bool
) -> KernelAnswer {
    do throws(Unaccepted) {
        guard let distilledBase, rules.has(.distilledBase) else {
            guard let kernel else {
                // Until there are types, it makes no difference.
                var reader = KernelReader(
                    bytes, after: KernelTypes(after: nil), .module, rules: rules,
                    bigEndian: bigEndian)
                try reader.readUpToTypes()
                return .dependsOnKernel("the BTF of the kernel, which the module continues")
            }
            var reader = KernelReader(
                bytes, after: kernel, .module, rules: rules, bigEndian: bigEndian)
            try reader.read()
            return .taken
        }
        var small = KernelReader(
            distilledBase, .base(ofModule: true), rules: rules, bigEndian: bigEndian)
        try small.read()
        var reader = KernelReader(
            bytes, after: small.types, .module, rules: rules, bigEndian: bigEndian)
        try reader.read()
        guard let kernel else {
            return .dependsOnKernel("the BTF of the kernel, onto which it relocates the module")
        }
        var relocation = KernelRelocation(reader, after: small, onto: kernel)
        try relocation.run()
        return .taken
    } catch { return error.answer }
}

/// What a kernel answers to BPF_BTF_LOAD.
///
/// - Parameters:
///   - kernel: as above; only pointers tagged `kptr` need it.
///   - pointerSize: the kernel's `sizeof(void *)`, whatever the BTF is for.
package func answerToProgram(
    _ bytes: ByteView, kernel: KernelTypes?, rules: TargetRules, bigEndian: Bool,
    pointerSize: UInt32 = 8
) -> KernelAnswer {
    var reader = KernelReader(
        bytes, .program, rules: rules, kernel: kernel, bigEndian: bigEndian,
        pointerSize: pointerSize)
    return answer(of: &reader)
}

/// What a kernel makes of its own BTF when it starts.
package func answerToOwn(
    _ bytes: ByteView, rules: TargetRules, bigEndian: Bool
) -> KernelAnswer {
    var reader = KernelReader(bytes, .base(ofModule: false), rules: rules, bigEndian: bigEndian)
    return answer(of: &reader)
}

private func answer(of reader: inout KernelReader) -> KernelAnswer {
    do throws(Unaccepted) {
        try reader.read()
        return .taken
    } catch { return error.answer }
}
