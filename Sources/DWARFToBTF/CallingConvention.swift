// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import ELF

/// Where functions of one ABI find their arguments, as far as that is in integer registers.
///
/// Sources, by row of `of`: System V ABI for AMD64 section 3.2.3; AAPCS64 section 6.8.2; ELF ABI
/// s390x supplement section 1.2.5; 64-bit ELF V2 ABI for Power section 2.2.3; RISC-V calling
/// conventions, "Integer calling convention"; LoongArch procedure call standard, "Passing
/// arguments"; MIPS System V ABI supplement page 3-17 (o32) and the MIPSpro 64-bit guide section 2
/// (n64); AAPCS32 section 6.5; for i386 GCC's `regparm`. The tests compare each with what
/// compilers' debug information says.
struct CallingConvention: Sendable {
    /// DWARF numbers of the registers that carry the first integer arguments, in order. Empty for
    /// a machine without a model.
    var registers: ArgumentRegisters = []
    /// Bytes of such a register, and of a word on the stack.
    var word: UInt32 = 8
    /// Which values begin at an even word if they are aligned to two.
    var pairs = Pairs.none
    /// Composites larger than two words.
    var large = Large.inWords
    /// An argument that needs more registers than are left.
    var overflow = Overflow.splits
    var floats = Floats.unknown
    var results = Results.withAddressApart
    /// Nothing is aligned to more bytes.
    var largestAlignment: UInt32 = 16
    /// What BPF programs read as arguments; nil for a machine whose kernels do not run programs at
    /// functions.
    var reading: Reading?

    enum Pairs { case none, composites, all }
    enum Large { case inWords, byReference, onStack }
    enum Overflow {
        /// Its first words are in registers, the others on the stack.
        case splits
        /// It is on the stack, and so are all later ones.
        case exhausts
        /// It is on the stack; later ones may fit.
        case skips
    }
    enum Floats {
        case inOwnRegisters
        /// In registers of their own, and integer registers are left out for them.
        case shadowed
        case asIntegers
        /// Depends on options that the file does not tell.
        case unknown
    }
    /// The address of a result in memory comes before the first argument, unless it has a register
    /// of its own.
    enum Results {
        case withAddressApart
        /// Composites of more bytes are in memory.
        case inMemory(above: UInt32)
        /// All composites and what is larger than a register are in memory.
        case inMemoryUnlessWords
        /// All composites are but those of 1, 2, 4 or 8 bytes, which options decide.
        case inMemoryUnlessPowers
    }
    enum Reading {
        /// Each argument is in the next registers, as many as it has words.
        case words
        /// Each argument is in the next register, which is its address if it is larger than that.
        case references
    }

    static func of(_ elf: ELFFile) -> CallingConvention {
        of(
            machine: elf.machine, is64Bit: elf.is64Bit, isBigEndian: elf.isBigEndian,
            flags: elf.processorFlags)
    }

    static func of(
        machine: UInt16, is64Bit: Bool, isBigEndian: Bool, flags: UInt32
    ) -> CallingConvention {
        switch machine {
        case ELFMachine.amd64:
            return CallingConvention(
                registers: [5, 4, 1, 2, 8, 9],  // rdi rsi rdx rcx r8 r9
                large: .onStack, overflow: .skips, floats: .inOwnRegisters,
                results: .inMemory(above: 16), reading: .words)
        case ELFMachine.aarch64:
            return CallingConvention(
                registers: ArgumentRegisters(0...7), pairs: .all, large: .byReference,
                overflow: .exhausts,
                floats: .inOwnRegisters, reading: .words)
        case ELFMachine.s390 where is64Bit:
            return CallingConvention(
                registers: ArgumentRegisters(2...6), large: .byReference, overflow: .splits,
                floats: .inOwnRegisters, results: .inMemoryUnlessWords, largestAlignment: 8,
                reading: .references)
        case ELFMachine.ppc64:
            let isV2 = flags & 3 == 2 || flags & 3 == 0 && !isBigEndian  // EF_PPC64_ABI
            return CallingConvention(
                registers: ArgumentRegisters(3...10), pairs: .composites, floats: .shadowed,
                results: .inMemory(above: isV2 ? 16 : 0), reading: .words)
        case ELFMachine.riscv where is64Bit:
            return CallingConvention(
                registers: ArgumentRegisters(10...17), large: .byReference,
                floats: flags & 6 == 0 ? .asIntegers : .inOwnRegisters,  // EF_RISCV_FLOAT_ABI
                results: .inMemory(above: 16), reading: .words)
        case ELFMachine.loongarch where is64Bit:
            return CallingConvention(
                registers: ArgumentRegisters(4...11), large: .byReference,
                floats: flags & 7 == 1 ? .asIntegers : .inOwnRegisters,  // EF_LOONGARCH_ABI
                results: .inMemory(above: 16), reading: .words)
        case ELFMachine.mips where is64Bit || flags & 0x20 != 0:  // EF_MIPS_ABI2
            return CallingConvention(
                registers: ArgumentRegisters(4...11), pairs: .all, results: .inMemory(above: 16))
        case ELFMachine.mips:
            return CallingConvention(
                registers: ArgumentRegisters(4...7), word: 4, pairs: .all,
                results: .inMemory(above: 0))
        case ELFMachine.arm:
            return CallingConvention(
                registers: ArgumentRegisters(0...3), word: 4, pairs: .all,
                results: .inMemory(above: 4))
        case ELFMachine.i386:
            return CallingConvention(
                registers: [0, 2, 1],  // eax edx ecx: -mregparm=3, as kernels are built
                word: 4, overflow: .exhausts, results: .inMemoryUnlessPowers, largestAlignment: 4)
        default:
            return CallingConvention()
        }
    }
}
