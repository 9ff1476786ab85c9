// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The effect of a relocation type on its target: an operation and the width of the target in
/// bytes. In the terms of the processor supplements, S is the symbol's value, A the addend, P the
/// target.
struct RelocationAction {
    enum Operation: UInt8 {
        case unknown
        /// Nothing to do.
        case none
        /// S + A, which must fit as a signed or an unsigned number.
        case absolute
        /// S + A - P, which must fit likewise.
        case relative
        /// S + A, truncated to the width.
        case set
        /// The old value plus or minus S + A: one half of a difference.
        case add, subtract
        /// The low six bits of a byte likewise.
        case set6, add6, subtract6
        /// A ULEB128 number likewise, keeping its length.
        case setULEB, addULEB, subtractULEB
    }
    var operation: Operation
    var width: UInt8
}

/// The relocations that occur in data and debug sections, for one machine. Types that are
/// meaningful only in code (calls, GOT) are omitted on purpose: applying them wrongly would be
/// worse than an error.
///
/// Sources: the ELF processor supplements (System V ABI for x86-64, i386, MIPS, PowerPC, s390x; ELF
/// for the Arm Architecture; RISC-V, LoongArch ELF psABI; LLVM's BPF relocation document).
struct RelocationTable {
    /// By relocation type. AArch64, whose numbers are the highest, needs 1,040 entries.
    private(set) var actions: [RelocationAction]

    init(machine: UInt16, is64Bit: Bool) {
        actions = Array(repeating: .init(operation: .unknown, width: 0), count: 1040)
        guard let rows = RelocationTable.rows(machine: machine, is64Bit: is64Bit) else { return }
        actions[0] = .init(operation: .none, width: 0)
        for (operation, width, types) in rows {
            for type in types { actions[type] = .init(operation: operation, width: width) }
        }
    }

    typealias Row = (RelocationAction.Operation, UInt8, [Int])

    /// The rows for a machine; nil for an unknown one.
    static func rows(machine: UInt16, is64Bit: Bool) -> [Row]? {
        switch machine {
        case ELFMachine.amd64:
            // 64, DTPOFF64; 32, 32S, DTPOFF32; 16; 8; PC64; PC32, PLT32; PC16; PC8
            [
                (.absolute, 8, [1, 17]), (.absolute, 4, [10, 11, 21]), (.absolute, 2, [12]),
                (.absolute, 1, [14]), (.relative, 8, [24]), (.relative, 4, [2, 4]),
                (.relative, 2, [13]), (.relative, 1, [15]),
            ]
        case ELFMachine.i386:
            // 32, TLS_LDO_32, TLS_DTPOFF32; 16; 8; PC32, PLT32; PC16; PC8
            [
                (.absolute, 4, [1, 32, 36]), (.absolute, 2, [20]), (.absolute, 1, [22]),
                (.relative, 4, [2, 4]), (.relative, 2, [21]), (.relative, 1, [23]),
            ]
        case ELFMachine.aarch64:
            // ABS64, TLS_DTPREL64; ABS32; ABS16; PREL64; PREL32; PREL16; the second NONE
            [
                (.absolute, 8, [257, 1029]), (.absolute, 4, [258]), (.absolute, 2, [259]),
                (.relative, 8, [260]), (.relative, 4, [261]), (.relative, 2, [262]),
                (.none, 0, [256]),
            ]
        case ELFMachine.arm:
            // ABS32, TARGET1, TLS_LDO32; ABS16; ABS8; REL32; V4BX marks an instruction
            [
                (.absolute, 4, [2, 38, 106]), (.absolute, 2, [5]), (.absolute, 1, [8]),
                (.relative, 4, [3]), (.none, 0, [40]),
            ]
        case ELFMachine.s390:
            // 64, TLS_LDO64; 32, TLS_LDO32; 16; 8; PC64; PC32; PC16
            [
                (.absolute, 8, [22, 53]), (.absolute, 4, [4, 52]), (.absolute, 2, [3]),
                (.absolute, 1, [1]), (.relative, 8, [23]), (.relative, 4, [5]),
                (.relative, 2, [16]),
            ]
        case ELFMachine.ppc64:
            // ADDR64, UADDR64, DTPREL64; ADDR32, UADDR32, DTPREL32; ADDR16; REL64; REL32
            [
                (.absolute, 8, [38, 43, 78]), (.absolute, 4, [1, 24, 110]), (.absolute, 2, [3]),
                (.relative, 8, [44]), (.relative, 4, [26]),
            ]
        case ELFMachine.ppc:
            // ADDR32, UADDR32, DTPREL32; ADDR16; REL32
            [(.absolute, 4, [1, 24, 78]), (.absolute, 2, [3]), (.relative, 4, [26])]
        case ELFMachine.mips:
            // 64, TLS_DTPREL64; 32, TLS_DTPREL32; 16; PC32
            [
                (.absolute, 8, [18, 41]), (.absolute, 4, [2, 39]), (.absolute, 2, [1]),
                (.relative, 4, [248]),
            ]
        case ELFMachine.riscv:
            // 64, TLS_DTPREL64; 32, TLS_DTPREL32; 32_PCREL; SET and pairs of ADD and SUB, which the
            // assembler leaves because the linker may shorten code; RELAX, ALIGN
            [
                (.absolute, 8, [2, 9]), (.absolute, 4, [1, 8]), (.relative, 4, [57]),
                (.add, 1, [33]), (.add, 2, [34]), (.add, 4, [35]), (.add, 8, [36]),
                (.subtract, 1, [37]), (.subtract, 2, [38]), (.subtract, 4, [39]),
                (.subtract, 8, [40]),
                (.set, 1, [54]), (.set, 2, [55]), (.set, 4, [56]), (.subtract6, 1, [52]),
                (.set6, 1, [53]), (.setULEB, 1, [60]), (.subtractULEB, 1, [61]),
                (.none, 0, [43, 51]),
            ]
        case ELFMachine.loongarch:
            // 64, TLS_DTPREL64; 32, TLS_DTPREL32; 64_PCREL; 32_PCREL; ADD and SUB pairs; RELAX,
            // ALIGN
            [
                (.absolute, 8, [2, 9]), (.absolute, 4, [1, 8]), (.relative, 8, [109]),
                (.relative, 4, [99]), (.add, 1, [47]), (.add, 2, [48]), (.add, 4, [50]),
                (.add, 8, [51]), (.subtract, 1, [52]), (.subtract, 2, [53]), (.subtract, 4, [55]),
                (.subtract, 8, [56]), (.add6, 1, [105]), (.subtract6, 1, [106]),
                (.addULEB, 1, [107]), (.subtractULEB, 1, [108]), (.none, 0, [100, 102]),
            ]
        case ELFMachine.bpf:
            // 64_ABS64; 64_ABS32, 64_NODYLD32 (in .BTF and .BTF.ext). Before clang 13 these two
            // were 64_32 and, if the symbol is in a writable section or in code, NONE.
            [(.absolute, 8, [2]), (.absolute, 4, [0, 3, 4, 10])]
        default: nil
        }
    }
}
