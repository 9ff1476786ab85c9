// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

extension BPFObject {
    /// The helpers that a program may call, itself or in functions that it calls or passes on:
    /// numbers of enum bpf_func_id, sorted.
    ///
    /// A call that the program makes only where the kernel has the helper counts as well.
    package func helpers(of program: Function) -> [UInt32] {
        var found: Set<UInt32> = []
        for function in reachable(from: program) {
            let relocated = Set(function.references.lazy.map(\.instruction))
            var number = 0
            while number < function.code.count / Instruction.size {
                let instruction = Instruction(function.code, number, bigEndian: isBigEndian)
                if instruction.isHelperCall, instruction.immediate > 0,
                    !relocated.contains(number)
                {
                    found.insert(UInt32(instruction.immediate))
                }
                number += instruction.isLoad ? 2 : 1
            }
        }
        return found.sorted()
    }

    /// The program and the functions that it calls or passes on.
    package func reachable(from program: Function) -> [Function] {
        var found = [program]
        var names: Set<String> = [program.name]
        var next = 0
        while next < found.count {
            for reference in found[next].references {
                let index: Int
                switch reference.target {
                case .call(let function), .address(let function): index = function
                default: continue
                }
                if names.insert(functions[index].name).inserted { found.append(functions[index]) }
            }
            next += 1
        }
        return found
    }
}
