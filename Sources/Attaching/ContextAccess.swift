// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import BTF

extension AttachJudge {
    /// What the verifier says of reading an argument; nil if it accepts that.
    func readFault(
        _ read: ContextReads.Read, _ way: AttachWay, _ name: String, _ prototype: Prototype
    ) -> String? {
        guard read.offset >= 0, read.offset < 8 * 12 else {
            return
                "it reads \(read.size) bytes at offset \(read.offset) of its context, which has 96"
        }
        guard read.offset % 8 == 0 else {
            return "func '\(name)' offset \(read.offset) is not multiple of 8"
        }
        let slot = read.offset / 8
        let index = prototype.arguments.firstIndex {
            slot >= $0.slot && slot < $0.slot + $0.slots
        }
        let count = prototype.arguments.count
        let value: Prototype.Value
        if let index {
            value = prototype.arguments[index]
        } else if let returned = prototype.returnValue, slot >= returned.slot,
            slot < returned.slot + returned.slots
        {
            value = returned
        } else {
            let number =
                (way.seesReturnValue && prototype.returnValue != nil) ? count + 2 : count + 1
            return "func '\(name)' doesn't have \(number)-th argument"
        }
        guard let type = btf.unmodified(value.type) else { return nil }
        switch type.kind {
        case .int, .enum, .enum64, .struct, .union: return nil
        case .ptr: break
        default:
            return
                "func '\(name)' arg\(index ?? count) '\(value.name)' has type \(type.kind.word). Only pointer access is allowed"
        }
        guard let version else { return nil }
        let rules = AttachRules(version, machine: machine)
        if rules.readsWholePointers, read.size != 8 {
            return "func '\(name)' size \(read.size) must be 8"
        }
        guard !rules.readsAnyPointer, let target = btf.unmodified(type.type),
            !target.kind.isComposite, target.kind != .int
        else { return nil }
        return "func '\(name)' arg\(index ?? count) type \(target.kind.word) is not a struct"
    }

    /// Whether programs of a type may call a kernel function; nil if it is not known.
    func permits(_ function: Record, _ type: ProgramType) -> Bool? {
        KernelFunctionSets.permits(function.id.rawValue, type, sets: facts.sets)
    }

    /// Whether a kernel function may sleep, as far as its sets show.
    func mayWait(_ function: Record) -> Bool {
        KernelFunctionSets.isSleepable(function.id.rawValue, sets: facts.sets)
    }
}
