// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import ELF

/// Machines as `uname -m` calls them.
package enum KernelMachine {
    /// The machine an ELF file is for.
    package static func name(of file: ELFFile) -> String {
        let (is64Bit, isBigEndian) = (file.is64Bit, file.isBigEndian)
        return switch file.machine {
        case ELFMachine.amd64: "x86_64"
        case ELFMachine.i386: "i686"
        case ELFMachine.aarch64: isBigEndian ? "aarch64_be" : "aarch64"
        case ELFMachine.arm: isBigEndian ? "armeb" : "arm"
        case ELFMachine.s390: is64Bit ? "s390x" : "s390"
        case ELFMachine.riscv: is64Bit ? "riscv64" : "riscv32"
        case ELFMachine.ppc64: isBigEndian ? "ppc64" : "ppc64le"
        case ELFMachine.ppc: "ppc"
        case ELFMachine.mips: is64Bit ? "mips64" : "mips"
        case ELFMachine.loongarch: is64Bit ? "loongarch64" : "loongarch32"
        case let number: "machine \(number)"
        }
    }

    /// The same for the output of `uname -m`, which is more specific on some machines.
    package static func name(uname text: String) -> String {
        if text.hasPrefix("armv"), text != "armv8l" { return text.hasSuffix("b") ? "armeb" : "arm" }
        switch text {
        case "i386", "i486", "i586", "i686": return "i686"
        case "amd64": return "x86_64"
        default: return text
        }
    }
}
