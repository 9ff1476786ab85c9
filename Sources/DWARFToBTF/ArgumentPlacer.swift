// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Where an argument is when a function begins.
enum ArgumentPlace: Equatable {
    /// In integer registers, from this one of `CallingConvention.registers` on.
    case register(Int)
    /// In memory, whose address is in this register.
    case address(Int)
    /// On the stack, from this word on.
    case stack(Int)
    /// In floating-point registers, or partly so.
    case elsewhere
}

/// Hands out the places of a function's arguments, one after the other.
struct ArgumentPlacer {
    private let convention: CallingConvention
    private var next = 0
    private var stack = 0

    init(_ convention: CallingConvention) { self.convention = convention }

    /// Accounts for the result.
    ///
    /// - Returns: false if the file does not tell how it is returned.
    mutating func takeResult(_ shape: ArgumentShape) -> Bool {
        let isComposite = shape.kind == .composite
        if shape.kind == .unknown { return false }
        switch convention.results {
        case .withAddressApart: return true
        case .inMemory(let limit):
            guard isComposite, shape.size > limit || convention.large == .onStack && shape.isUneven
            else { return true }
        case .inMemoryUnlessWords:
            guard isComposite || shape.size > convention.word else { return true }
        case .inMemoryUnlessPowers:
            guard isComposite else { return true }
            if shape.size <= 8, shape.size.nonzeroBitCount == 1 { return false }
        }
        if shape.size > 0 { next = 1 }
        return true
    }

    /// The place of the next argument.
    ///
    /// - Returns: nil if that, and so the place of any later one, is not known.
    mutating func place(_ shape: ArgumentShape) -> ArgumentPlace? {
        let words = Int((shape.size + convention.word - 1) / convention.word)
        switch shape.kind {
        case .unknown: return nil
        case .integer: return take(words, shape)
        case .float:
            if convention.large == .onStack, shape.isX87 { return push(words, shape) }
            switch convention.floats {
            case .unknown: return nil
            case .asIntegers: return take(words, shape)
            case .shadowed:
                next += words
                return .elsewhere
            case .inOwnRegisters:
                if shape.size > 8, convention.reading == .references { return take(words, shape) }
                if shape.size > 8, convention.overflow == .splits { return take(words, shape) }
                return .elsewhere
            }
        case .composite:
            return placeComposite(shape, words)
        }
    }

    private mutating func placeComposite(
        _ shape: ArgumentShape, _ words: Int
    ) -> ArgumentPlace? {
        switch convention.large {
        case .onStack:
            if shape.size > 16 || shape.isUneven || shape.isX87 { return push(words, shape) }
            let used = (shape.low == .integer ? 1 : 0) + (shape.high == .integer ? 1 : 0)
            if used == words { return take(words, shape) }
            // Vector registers, or padding that takes no register.
            if next + used <= convention.registers.count { next += used }
            return .elsewhere
        case .byReference where shape.size > 2 * convention.word: return take(1, shape)
        case .byReference, .inWords:
            guard shape.hasFloats else { return take(words, shape) }
            switch convention.floats {
            case .asIntegers: return take(words, shape)
            case .unknown: return nil
            case .shadowed:
                guard shape.isAllFloats else { return take(words, shape) }
                next += words
                return .elsewhere
            case .inOwnRegisters where convention.reading == .references:
                return shape.isAllFloats && shape.size == shape.alignment
                    ? .elsewhere : take(words, shape)
            case .inOwnRegisters where convention.overflow == .exhausts:
                return shape.isAllFloats ? .elsewhere : take(words, shape)
            case .inOwnRegisters: return .elsewhere
            }
        }
    }

    /// A value in integer registers, as far as there are any.
    private mutating func take(_ words: Int, _ shape: ArgumentShape) -> ArgumentPlace {
        let count = convention.registers.count
        if convention.reading == .references {
            let isAddress =
                shape.size > convention.word
                || shape.kind == .composite && shape.size.nonzeroBitCount != 1
            let place = next
            next += 1
            if place >= count { return .stack(place - count) }
            return isAddress ? .address(place) : .register(place)
        }
        if convention.overflow != .splits, next + words > count { return push(words, shape) }
        if isPair(shape), next % 2 == 1 { next += 1 }
        if convention.overflow != .splits, next + words > count { return push(words, shape) }
        defer { next += words }
        return next < count ? .register(next) : .stack(next - count)
    }

    private mutating func push(_ words: Int, _ shape: ArgumentShape) -> ArgumentPlace {
        if convention.overflow == .exhausts { next = convention.registers.count }
        if shape.alignment > convention.word, convention.word == 8, stack % 2 == 1 { stack += 1 }
        defer { stack += words }
        return .stack(stack)
    }

    private func isPair(_ shape: ArgumentShape) -> Bool {
        guard shape.alignment > convention.word else { return false }
        switch convention.pairs {
        case .none: return false
        case .composites: return shape.kind == .composite
        case .all: return shape.size > convention.word
        }
    }
}

extension CallingConvention {
    /// How the kernel's code that runs BPF programs at functions finds arguments, of which it knows
    /// the sizes only; nil for a machine without.
    var asRead: CallingConvention? {
        reading.map {
            CallingConvention(
                registers: registers, word: word, overflow: overflow, floats: .asIntegers,
                reading: $0)
        }
    }
}

extension ArgumentShape {
    /// What the kernel knows of it. A union that is too large for registers counts as one.
    var asRead: ArgumentShape {
        ArgumentShape(kind: .integer, size: isUnion && size > 16 ? 8 : size)
    }
}
