// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// What a program's instructions read of its context, and through which pointers from there.
struct ContextReads {
    struct Read: Equatable {
        let instruction: Int
        /// Bytes from the start of the context.
        let offset: Int
        let size: Int
    }

    /// An access relative to a pointer that was read from a slot.
    struct Use: Equatable {
        let instruction: Int
        let slot: Int
    }

    private(set) var reads: [Read] = []
    private(set) var uses: [Use] = []
    /// Instructions that write to the context.
    private(set) var writes: [Int] = []
    /// The program is too large or too tangled to be followed.
    private(set) var isIncomplete = false

    /// - Parameter relocated: instructions with a CO-RE relocation.
    init(_ code: ByteView, bigEndian: Bool, relocated: Set<Int>) {
        var tracer = Tracer(code, bigEndian: bigEndian, relocated: relocated)
        isIncomplete = !tracer.run()
        reads = tracer.reads.values.sorted { $0.instruction < $1.instruction }
        uses = tracer.uses.values.sorted { $0.instruction < $1.instruction }
        writes = tracer.writes.sorted()
    }
}

/// Follows the context through registers and the stack. Where paths join, only what is the same on
/// all of them is known.
private struct Tracer {
    /// What a register or stack slot holds: nothing known, the context, or the value of slot n.
    private typealias Value = UInt8
    private static let unknown: Value = 0
    private static let context: Value = 1
    private static let firstSlot: Value = 2
    private static let mostSlots = 64

    private let code: ByteView
    private let bigEndian: Bool
    private let relocated: Set<Int>
    private let count: Int
    var reads: [Int: ContextReads.Read] = [:]
    var uses: [Int: ContextReads.Use] = [:]
    var writes: Set<Int> = []
    /// Registers 0 to 10, and stack slots from -8 downwards, at the start of each block.
    private var states: [Int: [Value]] = [:]
    private var pending: [Int] = [0]

    init(_ code: ByteView, bigEndian: Bool, relocated: Set<Int>) {
        self.code = code
        self.bigEndian = bigEndian
        self.relocated = relocated
        count = code.count / 8
        var start = [Value](repeating: Self.unknown, count: 11 + 64)
        start[1] = Self.context
        states[0] = start
    }

    /// False if it was given up.
    mutating func run() -> Bool {
        var steps = 0
        while let start = pending.popLast() {
            guard var state = states[start] else { continue }
            var at = start
            while at < count {
                steps += 1
                // Far more than the verifier looks at.
                guard steps < 4_000_000 else { return false }
                guard let next = step(at, &state) else { break }
                at = next
                // The rest of the block is another one's start.
                if states[at] != nil {
                    join(at, state)
                    break
                }
            }
        }
        // What is not the same on all paths was noted on the first.
        return true
    }

    private mutating func join(_ at: Int, _ state: [Value]) {
        guard at >= 0, at < count else { return }
        guard var known = states[at] else {
            states[at] = state
            pending.append(at)
            return
        }
        var changes = false
        for index in known.indices
        where known[index] != state[index] && known[index] != Self.unknown {
            known[index] = Self.unknown
            changes = true
        }
        if changes {
            states[at] = known
            pending.append(at)
        }
    }

    private func half(_ at: Int, _ bytes: Int) -> UInt32 {
        var value: UInt32 = 0
        for byte in 0..<bytes {
            value |= UInt32(code[at + byte]) << UInt32(8 * (bigEndian ? bytes - 1 - byte : byte))
        }
        return value
    }

    /// Carries out instruction `at`; the next one's index, nil where the path ends.
    private mutating func step(_ at: Int, _ state: inout [Value]) -> Int? {
        let base = at * 8
        let opcode = code[base]
        let registers = code[base + 1]
        let target = Int(bigEndian ? registers >> 4 : registers & 0xf)
        let source = Int(bigEndian ? registers & 0xf : registers >> 4)
        let offset = Int(Int16(truncatingIfNeeded: half(base + 2, 2)))
        let immediate = Int(Int32(bitPattern: half(base + 4, 4)))
        guard target <= 10, source <= 10 else { return nil }
        switch opcode & 7 {
        case 0:
            if opcode == 0x18 {
                state[target] = Self.unknown
                return at + 2
            }
            clobber(&state)
        case 1: load(at, opcode, target, source, offset, &state)
        case 2:
            if state[target] == Self.context { writes.insert(at) }
            store(opcode, target, offset, Self.unknown, &state)
        case 3:
            if state[target] == Self.context { writes.insert(at) }
            store(
                opcode, target, offset, opcode & 0xe0 == 0x60 ? state[source] : Self.unknown, &state
            )
            // Atomic operations may leave the old value in a register.
            if opcode & 0xe0 == 0xc0 {
                state[source] = Self.unknown
                state[0] = Self.unknown
            }
        case 4, 7:
            note(at, state[target])
            state[target] = opcode == 0xbf && offset == 0 ? state[source] : Self.unknown
        default:
            switch opcode {
            case 0x85: clobber(&state)
            case 0x95: return nil
            case 0x05: return jump(at + 1 + offset, state)
            case 0x06: return jump(at + 1 + immediate, state)
            default: join(at + 1 + offset, state)
            }
        }
        return at + 1
    }

    private mutating func jump(_ at: Int, _ state: [Value]) -> Int? {
        join(at, state)
        return nil
    }

    private func clobber(_ state: inout [Value]) {
        for register in 0...5 { state[register] = Self.unknown }
    }

    private func size(_ opcode: UInt8) -> Int {
        switch opcode & 0x18 {
        case 0x00: 4
        case 0x08: 2
        case 0x10: 1
        default: 8
        }
    }

    private mutating func load(
        _ at: Int, _ opcode: UInt8, _ target: Int, _ source: Int, _ offset: Int,
        _ state: inout [Value]
    ) {
        let size = size(opcode)
        note(at, state[source])
        var value = Self.unknown
        if state[source] == Self.context {
            reads[at] = ContextReads.Read(instruction: at, offset: offset, size: size)
            if size == 8, offset >= 0, offset % 8 == 0, offset / 8 < Self.mostSlots {
                value = Self.firstSlot + Value(offset / 8)
            }
        } else if source == 10, size == 8, let slot = stackSlot(offset) {
            value = state[slot]
        }
        state[target] = value
    }

    private func stackSlot(_ offset: Int) -> Int? {
        guard offset < 0, offset >= -512, offset % 8 == 0 else { return nil }
        return 11 + (-offset / 8 - 1)
    }

    private func store(
        _ opcode: UInt8, _ target: Int, _ offset: Int, _ value: Value, _ state: inout [Value]
    ) {
        guard target == 10, offset < 0, offset >= -512 else { return }
        let isWhole = size(opcode) == 8
        if isWhole, let slot = stackSlot(offset) {
            state[slot] = value
        } else {
            state[11 + (-offset - 1) / 8] = Self.unknown
        }
    }

    /// A relocated access through the value of a slot.
    private mutating func note(_ at: Int, _ value: Value) {
        guard value >= Self.firstSlot, relocated.contains(at) else { return }
        uses[at] = ContextReads.Use(instruction: at, slot: Int(value - Self.firstSlot))
    }
}
