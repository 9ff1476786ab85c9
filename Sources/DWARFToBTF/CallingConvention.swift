// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import ELF

/// The DWARF registers that carry the first integer parameters, in order, as each ABI lays down.
enum CallingConvention {
    static func parameterRegisters(machine: UInt16) -> [UInt8] {
        switch machine {
        case 62: [5, 4, 1, 2, 8, 9]  // x86-64: rdi rsi rdx rcx r8 r9
        case 183: [0, 1, 2, 3, 4, 5, 6, 7]  // AArch64
        case 22: [2, 3, 4, 5, 6]  // s390
        case 21: [3, 4, 5, 6, 7, 8, 9, 10]  // ppc64
        case 243: [10, 11, 12, 13, 14, 15, 16, 17]  // RISC-V
        case 258: [4, 5, 6, 7, 8, 9, 10, 11]  // LoongArch
        case 8: [4, 5, 6, 7, 8, 9, 10, 11]  // MIPS n64
        default: []
        }
    }
}
