// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Where the value of a parameter is at one address of the program, as far as a single register, a
/// constant or a place relative to a register gives it.
package enum ValueLocation: Equatable {
    /// Nowhere: the compiler removed it, or it is elsewhere at this address.
    case nowhere
    /// The location list has places for it, but none at this address.
    case elsewhere
    /// The value itself. Bits above its size mean nothing.
    case constant(UInt64)
    /// The value is an address of the program, as the DWARF numbers it.
    case address(UInt64)
    case register(UInt32)
    /// The lower and the upper half, a word each.
    case registers(UInt32, UInt32)
    /// The value is the register's content plus an offset.
    case sum(UInt32, Int64)
    /// The value is in memory, at the register's content plus an offset.
    case memory(UInt32, Int64)
    /// In pieces, on the caller's stack, computed: a LOC_PARAM cannot say it.
    case inexpressible

    /// In place of a register: the frame base (DW_OP_fbreg).
    package static let frameBase: UInt32 = .max
}

/// What applies to all location expressions of a unit.
package struct ExpressionUnit {
    package let unit: Unit
    package let loclistsBase: UInt64
    package let addrBase: UInt64
    /// What offsets in its lists are relative to (DW_AT_low_pc); nil if that is unknown.
    package let base: UInt64?

    package init(unit: Unit, loclistsBase: UInt64, addrBase: UInt64, base: UInt64?) {
        self.unit = unit
        self.loclistsBase = loclistsBase
        self.addrBase = addrBase
        self.base = base
    }
}

extension DWARFData {
    /// The location of a parameter at `address`.
    ///
    /// - Parameters:
    ///   - value: `DW_AT_location` as decoded, `form` its form.
    ///   - size: bytes of the parameter's type.
    /// - Throws: for a list or an expression that ends too early, and for long lists that many
    ///   entries share.
    package func valueLocation(
        _ value: UInt64, form: Form, of unit: ExpressionUnit, at address: UInt64, size: UInt32
    ) throws(DWARFError) -> ValueLocation {
        let expression: ByteCursor
        let place: (section: String, offset: Int)
        switch form {
        case .exprloc, .block, .block1, .block2, .block4:
            let range = BlockRange(bits: value)
            guard let found = info.cursor(bigEndian: bigEndian).sub(range.offset, range.length)
            else {
                throw DWARFError(
                    section: ".debug_info", offset: range.offset,
                    "expression ends after the section")
            }
            expression = found
            place = (".debug_info", range.offset)
        case .secOffset, .data4, .data8, .loclistx:
            switch try listEntry(value, form: form, of: unit, at: address) {
            case .none: return .nowhere
            case .otherAddresses: return .elsewhere
            case .expression(let found, let section, let offset):
                expression = found
                place = (section, offset)
            }
        default:
            return .inexpressible
        }
        var reader = ValueExpression(data: self, unit: unit, cursor: expression, size: size)
        do throws(ByteError) { return try reader.read() } catch {
            throw DWARFError(section: place.section, start: place.offset, error)
        }
    }
}

/// Reads one location expression (DWARF 5 section 2.5) without running the program: registers stay
/// symbols.
private struct ValueExpression {
    /// A register, an address of the program or neither, and a number added to it.
    private struct Term {
        enum Origin: Equatable {
            case number, address
            case register(UInt32)
            /// A word loaded from the register plus the offset.
            case loaded(UInt32, Int64, size: UInt32)
        }

        var origin = Origin.number
        var number: UInt64 = 0
    }

    let data: DWARFData
    let unit: ExpressionUnit
    var cursor: ByteCursor
    /// Bytes of the value.
    let size: UInt32
    private var stack: [Term] = []

    /// Compilers need three.
    private static let deepest = 64

    init(data: DWARFData, unit: ExpressionUnit, cursor: ByteCursor, size: UInt32) {
        self.data = data
        self.unit = unit
        self.cursor = cursor
        self.size = size
    }

    private var word: UInt32 { UInt32(unit.unit.encoding.addressSize) }

    mutating func read() throws(ByteError) -> ValueLocation {
        if cursor.atEnd { return .nowhere }
        while !cursor.atEnd {
            if let result = try step() { return result }
            if stack.count > Self.deepest { return .inexpressible }
        }
        // What is left is the address of the value.
        guard let top = stack.last, case .register(let register) = top.origin else {
            return .inexpressible
        }
        return .memory(register, Int64(bitPattern: top.number))
    }

    /// nil to go on.
    private mutating func step() throws(ByteError) -> ValueLocation? {
        let operation = try cursor.readU8()
        switch operation {
        case 0x50...0x6f: return try inRegister(UInt64(operation - 0x50))  // DW_OP_reg0 ... reg31
        case 0x90: return try inRegister(try cursor.readULEB())  // DW_OP_regx
        case 0x70...0x8f:  // DW_OP_breg0 ... breg31
            return push(.register(UInt32(operation - 0x70)), try cursor.readSLEB())
        case 0x92:  // DW_OP_bregx
            guard let register = UInt32(exactly: try cursor.readULEB()),
                register != ValueLocation.frameBase
            else { return .inexpressible }
            return push(.register(register), try cursor.readSLEB())
        case 0x91:  // DW_OP_fbreg
            return push(.register(ValueLocation.frameBase), try cursor.readSLEB())
        case 0x03:  // DW_OP_addr
            return push(
                .address,
                Int64(
                    bitPattern: try cursor.readAddress(size: unit.unit.encoding.addressSize)))
        case 0xa1, 0xfb:  // DW_OP_addrx, DW_OP_GNU_addr_index
            guard
                let address = data.address(
                    index: try cursor.readULEB(), unit: unit.unit, addrBase: unit.addrBase)
            else { return .inexpressible }
            return push(.address, Int64(bitPattern: address))
        case 0x08: return push(.number, Int64(try cursor.readU8()))  // DW_OP_const1u and so on
        case 0x09: return push(.number, Int64(Int8(bitPattern: try cursor.readU8())))
        case 0x0a: return push(.number, Int64(try cursor.readU16()))
        case 0x0b: return push(.number, Int64(Int16(bitPattern: try cursor.readU16())))
        case 0x0c: return push(.number, Int64(try cursor.readU32()))
        case 0x0d: return push(.number, Int64(Int32(bitPattern: try cursor.readU32())))
        case 0x0e, 0x0f: return push(.number, Int64(bitPattern: try cursor.readU64()))
        case 0x10: return push(.number, Int64(bitPattern: try cursor.readULEB()))
        case 0x11: return push(.number, try cursor.readSLEB())
        case 0x30...0x4f: return push(.number, Int64(operation - 0x30))  // DW_OP_lit0 ... lit31
        case 0x23:  // DW_OP_plus_uconst
            let offset = try cursor.readULEB()
            guard !stack.isEmpty else { return .inexpressible }
            stack[stack.count - 1].number &+= offset
            return nil
        case 0x22, 0x1c: return combine(isMinus: operation == 0x1c)  // DW_OP_plus, DW_OP_minus
        case 0x06: return load(word)  // DW_OP_deref
        case 0x94: return load(UInt32(try cursor.readU8()))  // DW_OP_deref_size
        case 0x96: return nil  // DW_OP_nop
        case 0x9f: return cursor.atEnd ? value() : .inexpressible  // DW_OP_stack_value
        case 0x9e: return try implicitValue()
        default: return .inexpressible
        }
    }

    private mutating func push(_ origin: Term.Origin, _ number: Int64) -> ValueLocation? {
        stack.append(Term(origin: origin, number: UInt64(bitPattern: number)))
        return nil
    }

    private mutating func combine(isMinus: Bool) -> ValueLocation? {
        guard stack.count >= 2 else { return .inexpressible }
        let right = stack.removeLast()
        let left = stack.removeLast()
        if right.origin == .number {
            stack.append(
                Term(
                    origin: left.origin,
                    number: isMinus ? left.number &- right.number : left.number &+ right.number))
        } else if left.origin == .number, !isMinus {
            stack.append(Term(origin: right.origin, number: left.number &+ right.number))
        } else {
            return .inexpressible
        }
        return nil
    }

    /// Loads `count` bytes from the address on the stack.
    private mutating func load(_ count: UInt32) -> ValueLocation? {
        guard let top = stack.popLast(), case .register(let register) = top.origin else {
            return .inexpressible
        }
        return push(.loaded(register, Int64(bitPattern: top.number), size: count), 0)
    }

    /// The top of the stack as the value.
    private func value() -> ValueLocation {
        guard let top = stack.last else { return .inexpressible }
        switch top.origin {
        case .number: return .constant(top.number)
        case .address: return .address(top.number)
        case .register(let register):
            let offset = Int64(bitPattern: top.number)
            return offset == 0 && register != ValueLocation.frameBase
                ? .register(register) : .sum(register, offset)
        case .loaded(let register, let offset, let count):
            // The first bytes of a longer number are its lower ones in one byte order only.
            guard top.number == 0, count == size || count > size && !data.bigEndian else {
                return .inexpressible
            }
            return .memory(register, offset)
        }
    }

    private mutating func implicitValue() throws(ByteError) -> ValueLocation {
        let length = try cursor.readULEB()
        guard let count = Int(exactly: length), count <= 8 else { return .inexpressible }
        var value: UInt64 = 0
        for index in 0..<count {
            let byte = UInt64(try cursor.readU8())
            value = data.bigEndian ? value << 8 | byte : value | byte << UInt64(8 * index)
        }
        return cursor.atEnd && UInt32(count) == size ? .constant(value) : .inexpressible
    }

    /// A register, alone or with a second one for the upper half.
    private mutating func inRegister(_ number: UInt64) throws(ByteError) -> ValueLocation {
        guard stack.isEmpty, let register = UInt32(exactly: number),
            register != ValueLocation.frameBase
        else { return .inexpressible }
        if cursor.atEnd { return .register(register) }
        guard try cursor.readU8() == 0x93 else { return .inexpressible }  // DW_OP_piece
        let first = try cursor.readULEB()
        if cursor.atEnd { return first == UInt64(size) ? .register(register) : .inexpressible }
        let operation = try cursor.readU8()
        let other: UInt64
        switch operation {
        case 0x50...0x6f: other = UInt64(operation - 0x50)
        case 0x90: other = try cursor.readULEB()
        default: return .inexpressible
        }
        guard !cursor.atEnd, try cursor.readU8() == 0x93 else { return .inexpressible }
        let second = try cursor.readULEB()
        guard cursor.atEnd, first == UInt64(word), first + second == UInt64(size),
            second <= first, let upper = UInt32(exactly: other), upper != ValueLocation.frameBase
        else { return .inexpressible }
        return .registers(register, upper)
    }
}
