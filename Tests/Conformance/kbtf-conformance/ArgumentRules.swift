// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import ELF

/// Differences that follow from where arguments are on machines of which pahole 1.32 knows less:
/// it compares the register of each parameter with a list by number, of the machines it knows, and
/// takes results for values in registers.
struct ArgumentRules {
    private let machine: UInt16
    private let word: UInt32

    init(_ elf: ELFFile) {
        machine = elf.machine
        word = elf.is64Bit ? 8 : 4
    }

    /// Why pahole lacks a function of ours.
    ///
    /// - Parameter prototype: a FUNC_PROTO of `btf`.
    func lackedByPahole(_ prototype: TypeID, in btf: BTF) -> String? {
        let sizes = parameters(of: prototype, in: btf).map { size(of: $0, in: btf) }
        switch machine {
        case ELFMachine.arm,
            ELFMachine.mips where word == 4:
            // It counts eight registers, where there are four, the first of which may be the
            // address of the result, and takes one in pieces for none.
            let words = sizes.map { ($0 + word - 1) / word }
            let isShifted = btf.record(prototype).flatMap { composite($0.type, in: btf) } != nil
            return isShifted || words.contains { $0 > 1 } || words.count > 4
                ? Self.withoutRegister : nil
        case ELFMachine.i386, ELFMachine.loongarch:
            let isComposite = parameters(of: prototype, in: btf).contains {
                composite($0, in: btf) != nil
            }
            return isComposite ? Self.composites : nil
        default: return nil
        }
    }

    /// Why we lack a function that pahole has.
    ///
    /// - Parameters:
    ///   - prototype: a FUNC_PROTO of `btf`.
    ///   - reason: that of our ledger.
    func lackedByUs(_ prototype: TypeID, in btf: BTF, reason: String) -> String? {
        if reason == "unexpected-register", isResultInMemory(prototype, in: btf) {
            return Self.resultInMemory
        }
        guard reason == "unexpected-register" || reason == "optimized-parameter" else { return nil }
        switch machine {
        case ELFMachine.i386, ELFMachine.loongarch: return Self.noRegisters
        case ELFMachine.mips where word == 4:
            let isComposite = parameters(of: prototype, in: btf).contains {
                composite($0, in: btf) != nil
            }
            return isComposite ? Self.composites : nil
        default: return nil
        }
    }

    /// The first register is then the result's address, and programs read that as the first
    /// argument.
    private func isResultInMemory(_ prototype: TypeID, in btf: BTF) -> Bool {
        guard let result = btf.record(prototype)?.type, let size = composite(result, in: btf) else {
            return false
        }
        switch machine {
        case ELFMachine.s390: return true
        case ELFMachine.ppc64, ELFMachine.riscv, ELFMachine.loongarch: return size > 16
        default: return false
        }
    }

    private func parameters(of prototype: TypeID, in btf: BTF) -> [TypeID] {
        guard let record = btf.record(prototype), record.kind == .funcProto else { return [] }
        return (0..<record.count).map { TypeID(record.element($0, 1)) }
    }

    /// The size in bytes of a struct or union.
    private func composite(_ id: TypeID, in btf: BTF) -> UInt32? {
        let type = bare(id, in: btf)
        return type?.kind == .struct || type?.kind == .union ? type?.size : nil
    }

    private func size(of id: TypeID, in btf: BTF) -> UInt32 {
        guard let type = bare(id, in: btf) else { return 0 }
        return type.kind == .ptr ? word : type.size
    }

    private func bare(_ id: TypeID, in btf: BTF) -> Record? {
        var type = btf.record(id)
        for _ in 0..<64 {
            switch type?.kind {
            case .typedef, .const, .volatile, .restrict, .typeTag: type = btf.record(type!.type)
            default: return type
            }
        }
        return nil
    }

    private static let resultInMemory = "result-in-memory"
    private static let noRegisters = "pahole-knows-no-registers"
    private static let withoutRegister = "pahole-parameter-without-register"
    private static let composites = "pahole-struct-as-argument"
}
