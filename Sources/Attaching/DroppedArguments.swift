// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BPFObject
internal import BTF
internal import Bytes

/// Calls within an object that leave a register unset, or leave the context in it, although the BTF
/// of the called function has another argument there: the compiler dropped one that the function
/// does not use.
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
        /// The first register that has no such argument, from 1 on.
        package let register: Int
        /// It is in a program, and nothing before it may lead past it. Of other calls, the verifier
        /// may know from constants that they are never reached.
        package let isCertain: Bool
    }

    package let calls: [Call]
    private let object: BPFObject
    /// Calls of global functions by the names of the callers: one that is certain if there is one.
    private let refused: [String: Call]
    /// Static functions that are called so.
    private let unreliable: Set<String>

    package init(_ object: BPFObject) {
        self.object = object
        var arguments: [String: [Bool]] = [:]
        // A static and a global function, or two static ones, may have one name: nothing shows
        // which of them the BTF describes.
        var ambiguous: Set<String> = []
        for record in object.btf.ownRecords where record.kind == .func {
            guard let prototype = object.btf.record(record.type), prototype.kind == .funcProto
            else { continue }
            let arePointers = (0..<min(prototype.count, 5)).map {
                object.btf.unmodified(TypeID(prototype.element($0, 1)))?.kind == .ptr
            }
            if arguments.updateValue(arePointers, forKey: record.name) != nil {
                ambiguous.insert(record.name)
            }
        }
        for name in ambiguous { arguments[name] = nil }
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
                guard let registers = walk.registers(before: instruction),
                    let arePointers = arguments[object.functions[callee].name],
                    let argument = arePointers.indices.first(where: {
                        !registers.mayHave($0 + 1, pointer: arePointers[$0])
                    })
                else { continue }
                calls.append(
                    Call(
                        caller: index, callee: callee, instruction: instruction,
                        register: argument + 1,
                        isCertain: !function.isSubprogram && instruction < walk.firstBranch))
            }
        }
        self.calls = calls
        refused = Dictionary(
            calls.lazy.filter { !object.functions[$0.callee].isStatic }
                .map { (object.functions[$0.caller].name, $0) },
            uniquingKeysWith: { $0.isCertain || !$1.isCertain ? $0 : $1 })
        unreliable = Set(
            calls.lazy.map { object.functions[$0.callee] }.filter(\.isStatic).map(\.name))
    }

    /// A call of a global function that the verifier refuses, in the program or in what it calls.
    package func refusedCall(of program: BPFObject.Function) -> Call? {
        guard !refused.isEmpty else { return nil }
        let found = object.reachable(from: program).compactMap { refused[$0.name] }
        return found.first(where: \.isCertain) ?? found.first
    }

    /// Whether the verifier does not believe what the BTF says of a static function.
    package func isUnreliable(_ function: BPFObject.Function) -> Bool {
        function.isStatic && unreliable.contains(function.name)
    }

    /// The verifier's words for such a call.
    package func words(_ call: Call) -> String {
        "Caller passes invalid args into func \(object.functions[call.callee].name)"
    }
}

/// What is possible on any path: bit n stands for register n.
private struct Registers: Equatable {
    /// It has been set.
    var set: UInt16 = 0
    /// To something else than the context.
    var other: UInt16 = 0

    static let callerSaved: UInt16 = 0b11_1110

    func mayHave(_ register: Int, pointer: Bool) -> Bool {
        (pointer ? set : other) >> register & 1 == 1
    }

    func joined(_ more: Registers) -> Registers {
        Registers(set: set | more.set, other: other | more.other)
    }

    func setting(_ register: Int) -> Registers {
        joined(Registers(set: 1 << register, other: 1 << register))
    }

    func copying(_ source: Int, to target: Int) -> Registers {
        var result = self
        result.set = set & ~(1 << target) | (set >> source & 1) << target
        result.other = other & ~(1 << target) | (other >> source & 1) << target
        return result
    }

    var afterCall: Registers {
        Registers(set: set & ~Self.callerSaved, other: other & ~Self.callerSaved).setting(0)
    }
}

/// The registers before each instruction of a function.
private struct RegisterWalk {
    private let code: ByteView
    private let bigEndian: Bool
    private var states: [Registers]
    /// The first conditional jump; behind the code if there is none.
    let firstBranch: Int

    init(_ function: BPFObject.Function, bigEndian: Bool) {
        code = function.code
        self.bigEndian = bigEndian
        states = [Registers](repeating: Registers(), count: function.code.count / 8)
        firstBranch =
            states.indices.first { Self.isConditional(opcode: function.code[$0 * 8]) }
            ?? states.count
        guard !states.isEmpty else { return }
        var start = Registers().setting(10)
        if function.isSubprogram {
            // Callers may have set all of its arguments.
            start = start.joined(
                Registers(set: Registers.callerSaved, other: Registers.callerSaved))
        } else {
            start.set |= 1 << 1
        }
        join(0, start)
        run()
    }

    /// nil if no path leads there.
    func registers(before instruction: Int) -> Registers? {
        guard states.indices.contains(instruction), states[instruction].set != 0 else {
            return nil
        }
        return states[instruction]
    }

    /// Of the second half of a 16-byte instruction, the opcode is 0.
    private static func isConditional(opcode: UInt8) -> Bool {
        (opcode & 7 == 5 || opcode & 7 == 6) && ![0x85, 0x95, 0x05, 0x06].contains(opcode)
    }

    private var pending: [Int] = []

    private mutating func join(_ at: Int, _ state: Registers) {
        guard states.indices.contains(at) else { return }
        let joined = states[at].joined(state)
        guard joined != states[at] else { return }
        states[at] = joined
        pending.append(at)
    }

    /// Ends, because no bit of a state is ever cleared.
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

    private mutating func step(_ at: Int, _ before: Registers) {
        let opcode = code[at * 8]
        let registers = code[at * 8 + 1]
        let target = Int(bigEndian ? registers >> 4 : registers & 0xf)
        let source = Int(bigEndian ? registers & 0xf : registers >> 4)
        let offset = Int(Int16(bitPattern: UInt16(number(at * 8 + 2, bytes: 2))))
        let immediate = Int(Int32(bitPattern: number(at * 8 + 4, bytes: 4)))
        switch opcode & 7 {
        case 0 where opcode == 0x18: join(at + 2, before.setting(target))
        // Loads from packets are calls.
        case 0: join(at + 1, before.afterCall)
        case 7 where opcode == 0xbf && offset == 0:
            join(at + 1, before.copying(source, to: target))
        case 1, 4, 7: join(at + 1, before.setting(target))
        // A load with acquire, and the atomics that fetch; cmpxchg into register 0.
        case 3 where opcode & 0xe0 == 0xc0 && immediate == 0x100:
            join(at + 1, before.setting(target))
        case 3 where opcode & 0xe0 == 0xc0 && immediate & 1 != 0:
            join(at + 1, before.setting(source).setting(0))
        case 2, 3: join(at + 1, before)
        default:
            switch opcode {
            case 0x85: join(at + 1, before.afterCall)
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
