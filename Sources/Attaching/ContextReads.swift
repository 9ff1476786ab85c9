// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// What a function's instructions do with the context, and through which pointers from there.
struct ContextReads {
    /// What a register or stack slot holds, as far as it matters.
    enum Value: Hashable {
        case unknown
        case context
        /// What slot n of the context has.
        case slot(UInt8)
        /// What was read through slot n, directly or through other pointers.
        case behind(UInt8)
        /// An address on the stack.
        case stack
        /// The address of a function of the object.
        case function(Int)
    }

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

    /// A store through the value of a slot, or through a pointer that was read there.
    struct Store: Hashable {
        let instruction: Int
        let slot: Int
        let isBehind: Bool
    }

    /// A call of a function of the object.
    struct Call: Hashable {
        let callee: Int
        /// What registers 1 to 5 hold.
        let arguments: [Value]
        /// It may find the context in memory of the caller's.
        let sharesContext: Bool
    }

    private(set) var reads: [Read] = []
    private(set) var uses: [Use] = []
    /// Instructions that write to the context.
    private(set) var writes: [Int] = []
    private(set) var stores: [Store] = []
    private(set) var calls: [Call] = []
    /// The context is what it returns.
    private(set) var returnsContext = false
    /// The function is too large or too tangled to be followed.
    private(set) var isIncomplete = false

    /// - Parameters:
    ///   - relocated: instructions with a CO-RE relocation.
    ///   - functions: the functions of the object that instructions call, or take the address of.
    ///   - entry: what registers 1 to 5 hold.
    init(
        _ code: ByteView, bigEndian: Bool, relocated: Set<Int>, functions: [Int: Int],
        entry: [Value]
    ) {
        var tracer = Tracer(
            code, bigEndian: bigEndian, relocated: relocated, functions: functions, entry: entry)
        isIncomplete = !tracer.run()
        reads = tracer.reads.values.sorted { $0.instruction < $1.instruction }
        uses = tracer.uses.values.sorted { $0.instruction < $1.instruction }
        writes = tracer.writes.sorted()
        stores = tracer.stores.sorted { $0.instruction < $1.instruction }
        calls = tracer.calls.sorted { $0.key < $1.key }.flatMap(\.value)
        returnsContext = tracer.returnsContext
    }
}

/// Follows the context through registers and the stack. Where paths join, only what is the same on
/// all of them is known.
private struct Tracer {
    private typealias Value = ContextReads.Value
    private static let mostSlots = 64
    /// Ways to call one function in one place, of which more are not followed.
    private static let mostWays = 16

    private let code: ByteView
    private let bigEndian: Bool
    private let relocated: Set<Int>
    private let functions: [Int: Int]
    private let count: Int
    var reads: [Int: ContextReads.Read] = [:]
    var uses: [Int: ContextReads.Use] = [:]
    var writes: Set<Int> = []
    var stores: Set<ContextReads.Store> = []
    var calls: [Int: [ContextReads.Call]] = [:]
    var returnsContext = false
    private var hasTooManyWays = false
    /// It stored the context on the stack through another register than 10.
    private var hidesContext = false
    /// Registers 0 to 10, and stack slots from -8 downwards, at the start of each block.
    private var states: [Int: [Value]] = [:]
    private var pending: [Int] = [0]

    init(
        _ code: ByteView, bigEndian: Bool, relocated: Set<Int>, functions: [Int: Int],
        entry: [ContextReads.Value]
    ) {
        self.code = code
        self.bigEndian = bigEndian
        self.relocated = relocated
        self.functions = functions
        count = code.count / 8
        var start = [Value](repeating: .unknown, count: 11 + 64)
        start.replaceSubrange(1..<(1 + min(entry.count, 5)), with: entry.prefix(5))
        start[10] = .stack
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
        return !hasTooManyWays
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
        where known[index] != state[index] && known[index] != .unknown {
            known[index] = .unknown
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
                state[target] = functions[at].map { .function($0) } ?? .unknown
                return at + 2
            }
            clobber(&state)
        case 1: load(at, opcode, target, source, offset, &state)
        case 2: store(at, opcode, target, offset, .unknown, &state)
        case 3 where opcode & 0xe0 == 0xc0 && immediate == 0x100:
            // A load with acquire.
            load(at, opcode, target, source, offset, &state)
        case 3:
            store(
                at, opcode, target, offset, opcode & 0xe0 == 0x60 ? state[source] : .unknown, &state
            )
            // Atomic operations may leave the old value in a register.
            if opcode & 0xe0 == 0xc0, immediate & 1 != 0 {
                state[source] = .unknown
                state[0] = .unknown
            }
        case 4, 7: compute(at, opcode, target, source, offset, immediate, &state)
        default:
            switch opcode {
            case 0x85: call(at, &state)
            case 0x95:
                if state[0] == .context { returnsContext = true }
                return nil
            case 0x05: return jump(at + 1 + offset, state)
            case 0x06: return jump(at + 1 + immediate, state)
            default: join(at + 1 + offset, state)
            }
        }
        return at + 1
    }

    private mutating func compute(
        _ at: Int, _ opcode: UInt8, _ target: Int, _ source: Int, _ offset: Int, _ immediate: Int,
        _ state: inout [Value]
    ) {
        note(at, state[target])
        switch (opcode, state[target]) {
        case (0xbf, _) where offset == 0: state[target] = state[source]
        // A pointer into the same object.
        case (0x07, .slot), (0x07, .behind), (0x07, .stack): break
        default: state[target] = .unknown
        }
    }

    private mutating func call(_ at: Int, _ state: inout [Value]) {
        let arguments = Array(state[1...5])
        var callees: [(index: Int, arguments: [Value])] = []
        if let callee = functions[at] { callees.append((callee, arguments)) }
        for case .function(let callback) in arguments {
            // Nothing shows what a helper passes to its callback.
            callees.append((callback, Array(repeating: .unknown, count: 5)))
        }
        let sharesContext =
            arguments.contains(.stack) && (hidesContext || state[11...].contains(.context))
        for callee in callees {
            let call = ContextReads.Call(
                callee: callee.index, arguments: callee.arguments, sharesContext: sharesContext)
            if calls[at]?.contains(call) ?? false { continue }
            calls[at, default: []].append(call)
            if calls[at, default: []].count > Self.mostWays { hasTooManyWays = true }
        }
        clobber(&state)
    }

    private mutating func jump(_ at: Int, _ state: [Value]) -> Int? {
        join(at, state)
        return nil
    }

    private func clobber(_ state: inout [Value]) {
        for register in 0...5 { state[register] = .unknown }
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
        var value = Value.unknown
        switch state[source] {
        case .context:
            reads[at] = ContextReads.Read(instruction: at, offset: offset, size: size)
            if size == 8, offset >= 0, offset % 8 == 0, offset / 8 < Self.mostSlots {
                value = .slot(UInt8(offset / 8))
            }
        case .slot(let slot), .behind(let slot): if size == 8 { value = .behind(slot) }
        case .stack:
            if source == 10, size == 8, let slot = stackSlot(offset) { value = state[slot] }
        case .unknown, .function: break
        }
        state[target] = value
    }

    private func stackSlot(_ offset: Int) -> Int? {
        guard offset < 0, offset >= -512, offset % 8 == 0 else { return nil }
        return 11 + (-offset / 8 - 1)
    }

    private mutating func store(
        _ at: Int, _ opcode: UInt8, _ target: Int, _ offset: Int, _ value: Value,
        _ state: inout [Value]
    ) {
        switch state[target] {
        case .context: writes.insert(at)
        case .slot(let slot):
            stores.insert(.init(instruction: at, slot: Int(slot), isBehind: false))
        case .behind(let slot):
            stores.insert(.init(instruction: at, slot: Int(slot), isBehind: true))
        case .stack: if target != 10, value == .context { hidesContext = true }
        default: break
        }
        guard target == 10, offset < 0, offset >= -512 else { return }
        let isWhole = size(opcode) == 8
        if isWhole, let slot = stackSlot(offset) {
            state[slot] = value
        } else {
            state[11 + (-offset - 1) / 8] = .unknown
        }
    }

    /// A relocated access through the value of a slot.
    private mutating func note(_ at: Int, _ value: Value) {
        guard case .slot(let slot) = value, relocated.contains(at) else { return }
        uses[at] = ContextReads.Use(instruction: at, slot: Int(slot))
    }
}
