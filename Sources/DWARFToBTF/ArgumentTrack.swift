// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Follows a prototype's arguments: where its ABI puts each, and where BPF programs read it.
struct ArgumentTrack {
    private var placer: ArgumentPlacer
    private var reader: ArgumentPlacer?
    private let registers: ArgumentRegisters
    /// Where later arguments are is not known.
    private(set) var isOver: Bool
    /// A kernel refuses to run programs at this function.
    private var isRefused = false
    private var differs = false
    private var isMoved = false

    /// A parameter arrives in another register than the ABI says.
    var isUnexpected: Bool { isMoved && !isRefused }
    /// A BPF program would read something else under a parameter's name.
    var isMisread: Bool { differs && !isRefused }

    /// - Parameter reading: where programs look for arguments; nil for a machine without programs.
    init(_ convention: CallingConvention, reading: CallingConvention?) {
        placer = ArgumentPlacer(convention)
        reader = reading.map { ArgumentPlacer($0) }
        registers = convention.registers
        isOver = registers.isEmpty
    }

    mutating func takeResult(_ shape: ArgumentShape) {
        if !placer.takeResult(shape) { isOver = true }
    }

    /// Notes that the last parameter arrives in another register than the one returned for it.
    mutating func move() { isMoved = true }

    /// - Returns: the register in which the next parameter arrives, if it is a number, a pointer
    ///   or a union in registers.
    mutating func take(_ shape: ArgumentShape) -> UInt8? {
        var shape = shape
        if shape.kind == .composite, shape.size > 16 || shape.size == 0 {
            // Large unions count as one register, as they do for pahole: what comes after them
            // shows whether that holds.
            if shape.isUnion, reader != nil {
                shape = shape.asRead
            } else {
                isRefused = reader != nil
            }
        }
        guard let place = placer.place(shape) else {
            isOver = true
            return nil
        }
        if let read = reader?.place(shape.asRead), read != place { differs = true }
        // Kernels cannot know how it is aligned there.
        if shape.isPacked, shape.size <= 16, case .stack = place { differs = true }
        guard case .register(let index) = place, shape.kind != .composite || shape.isUnion else {
            return nil
        }
        return registers[index]
    }
}
