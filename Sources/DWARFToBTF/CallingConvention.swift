// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import ELF

/// The DWARF registers that carry the first integer parameters, in order, as each ABI lays down.
enum CallingConvention {
    static func parameterRegisters(machine: UInt16) -> [UInt8] {
        switch machine {
        case ELFMachine.amd64: [5, 4, 1, 2, 8, 9]  // rdi rsi rdx rcx r8 r9
        case ELFMachine.aarch64: [0, 1, 2, 3, 4, 5, 6, 7]
        case ELFMachine.s390: [2, 3, 4, 5, 6]
        case ELFMachine.ppc64: [3, 4, 5, 6, 7, 8, 9, 10]
        case ELFMachine.riscv: [10, 11, 12, 13, 14, 15, 16, 17]
        case ELFMachine.loongarch: [4, 5, 6, 7, 8, 9, 10, 11]
        case ELFMachine.mips: [4, 5, 6, 7, 8, 9, 10, 11]  // n64
        default: []
        }
    }
}
