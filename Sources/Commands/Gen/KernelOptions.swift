// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BPFObject

/// The options for a `TargetKernel`.
struct KernelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The target kernel's configuration, possibly compressed: the values of __kconfig variables.",
            valueName: "FILE"), completion: .file())
    var kconfig: String?

    @Option(
        help: ArgumentHelp(
            "The value of LINUX_KERNEL_VERSION, such as 6.1 or 6.1.170 (default: from --kconfig).",
            valueName: "VERSION"),
        transform: KernelOptions.version)
    var kernelVersion: UInt32?

    @Option(
        name: .customLong("kernel-btf"),
        help: ArgumentHelp(
            "The target kernel's BTF (any file that 'kbtf dump --base' accepts), to identify its own kfuncs.",
            valueName: "FILE"), completion: .file())
    var kernelBTF: String?

    static func version(_ text: String) throws -> UInt32 {
        guard let version = KernelFacts.versionCode(text) else {
            throw ValidationError("'\(text)' is not a kernel version such as 6.1 or 6.1.170")
        }
        return version
    }

    var kernel: TargetKernel {
        TargetKernel(kconfig: kconfig, version: kernelVersion, kernelBTF: kernelBTF)
    }
}
