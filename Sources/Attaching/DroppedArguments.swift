// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BPFObject
internal import BTF
internal import Bytes

/// Calls within an object that leave a register unset although the BTF of the called function has
/// an argument for it: the compiler dropped an argument that the function does not use.
///
/// The verifier compares each call with the BTF. If the function is global it refuses the program;
/// if it is static it no longer believes its BTF, and programs that trace the function see five
/// numbers instead of its arguments.
package struct DroppedArguments: Sendable {
    package struct Call: Sendable, Equatable {
        /// Index of the function with the call, and of the one that is called, in `functions`.
        package let caller: Int
        package let callee: Int
        package let instruction: Int
        /// The first register that is not set, from 1 on.
        package let register: Int
    }

    package let calls: [Call]
    private let object: BPFObject

    package init(_ object: BPFObject) {
        self.object = object
        var counts: [String: Int] = [:]
        for record in object.btf.ownRecords where record.kind == .func {
            guard let prototype = object.btf.record(record.type), prototype.kind == .funcProto
            else { continue }
            counts[record.name] = prototype.count
        }
        var calls: [Call] = []
        for (index, function) in object.functions.enumerated() {
            var callees: [Int: Int] = [:]
            for reference in function.references {
                if case .call(let callee) = reference.target {
                    callees[reference.instruction] = callee
                }
            }
            guard !callees.isEmpty else { continue }
            let walk = RegisterWalk(function, bigEndian: object.isBigEndian)
            for (instruction, callee) in callees.sorted(by: { $0.key < $1.key }) {
                guard let set = walk.registers(before: instruction),
                    let count = counts[object.functions[callee].name],
                    let register = (1...5).first(where: { $0 <= count && set >> $0 & 1 == 0 })
                else { continue }
                calls.append(
                    Call(
                        caller: index, callee: callee, instruction: instruction,
                        register: register))
            }
        }
        self.calls = calls
    }

    /// A call of a global function that the verifier refuses, in the program or in what it calls.
    package func refusedCall(of program: BPFObject.Function) -> Call? {
        guard !calls.isEmpty else { return nil }
        let reached = Set(object.reachable(from: program).map(\.name))
        return calls.first {
            reached.contains(object.functions[$0.caller].name)
                && !object.functions[$0.callee].isStatic
        }
    }

    /// Whether the verifier does not believe what the BTF says of a static function.
    package func isUnreliable(_ function: BPFObject.Function) -> Bool {
        function.isStatic && calls.contains { object.functions[$0.callee].name == function.name }
    }

    /// The verifier's words for such a call.
    package func words(_ call: Call) -> String {
        "Caller passes invalid args into func \(object.functions[call.callee].name)"
    }
}

/// Which registers may have been set before each instruction of a function, on any path: bit n
/// stands for register n.
private struct RegisterWalk {
    private let code: ByteView
    private let bigEndian: Bool
    private var states: [UInt16]
    private static let callerSaved: UInt16 = 0b11_1110

    init(_ function: BPFObject.Function, bigEndian: Bool) {
        code = function.code
        self.bigEndian = bigEndian
        states = [UInt16](repeating: 0, count: function.code.count / 8)
        guard !states.isEmpty else { return }
        // Register 10, the frame. Callers of a subprogram may have set all of its arguments.
        join(0, 1 << 10 | (function.isSubprogram ? Self.callerSaved : 0b10))
        run()
    }

    /// nil if no path leads there.
    func registers(before instruction: Int) -> UInt16? {
        guard states.indices.contains(instruction), states[instruction] != 0 else { return nil }
        return states[instruction]
    }

    private var pending: [Int] = []

    private mutating func join(_ at: Int, _ state: UInt16) {
        guard states.indices.contains(at), states[at] | state != states[at] else { return }
        states[at] |= state
        pending.append(at)
    }

    /// Ends, because each state grows at most eleven times.
    private mutating func run() {
        while let at = pending.popLast() { step(at, states[at]) }
    }

    private func number(_ at: Int, bytes: Int) -> UInt32 {
        var value: UInt32 = 0
        for byte in 0..<bytes {
            value |= UInt32(code[at + byte]) << UInt32(8 * (bigEndian ? bytes - 1 - byte : byte))
        }
        return value
    }

    private mutating func step(_ at: Int, _ before: UInt16) {
        let opcode = code[at * 8]
        let registers = code[at * 8 + 1]
        let target = UInt16(bigEndian ? registers >> 4 : registers & 0xf)
        let offset = Int(Int16(bitPattern: UInt16(number(at * 8 + 2, bytes: 2))))
        let immediate = Int(Int32(bitPattern: number(at * 8 + 4, bytes: 4)))
        switch opcode & 7 {
        case 0 where opcode == 0x18: join(at + 2, before | 1 << target)
        // Loads from packets are calls.
        case 0: join(at + 1, before & ~Self.callerSaved | 1)
        case 1, 4, 7: join(at + 1, before | 1 << target)
        case 2, 3: join(at + 1, before)
        default:
            switch opcode {
            case 0x85: join(at + 1, before & ~Self.callerSaved | 1)
            case 0x95: break
            case 0x05: join(at + 1 + offset, before)
            case 0x06: join(at + 1 + immediate, before)
            default:
                join(at + 1, before)
                join(at + 1 + offset, before)
            }
        }
    }
}
