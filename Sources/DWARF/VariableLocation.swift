// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// The location of a variable, as far as its `DW_AT_location` gives it without running the program.
package enum VariableLocation: Equatable {
    /// At this address for the whole run. `base` is the address in the expression to which the rest
    /// adds an offset: 0 in a linked file if the linker dropped its section.
    case address(UInt64, base: UInt64)
    /// At an offset in thread-local storage.
    case threadLocal
    /// In pieces at separate locations.
    case pieces
    /// No location: the debug information gives a value instead, or nothing.
    case nowhere
    /// Depends on registers, on memory, or on the current instruction.
    case computed
}

extension DWARFData {
    /// The location that the `DW_AT_location` of a variable describes. The work grows with the
    /// bytes of the expression: operations that jump or call are not followed.
    ///
    /// - Parameters:
    ///   - value: the attribute's value as decoded, `form` its form.
    ///   - addrBase: the unit's `DW_AT_addr_base`.
    /// - Throws: for an expression that ends inside an operation, and an address that is not in
    ///   `.debug_addr`.
    package func variableLocation(
        _ value: UInt64, form: Form, unit: Unit, addrBase: UInt64
    ) throws(DWARFError) -> VariableLocation {
        switch form {
        case .exprloc, .block, .block1, .block2, .block4: break
        default: return .computed  // a list of locations
        }
        let isInTypes = unit.sort == .type && unit.encoding.version < 5
        let name = isInTypes ? ".debug_types" : ".debug_info"
        let range = BlockRange(bits: value)
        guard
            var cursor = (isInTypes ? types : info).cursor(bigEndian: bigEndian)
                .sub(range.offset, range.length)
        else {
            throw DWARFError(
                section: name, offset: range.offset, "expression ends after the section")
        }
        // Most expressions are a single address.
        let size = unit.encoding.addressSize
        if range.length == Int(size) + 1, (try? cursor.readU8()) == 0x03,
            let address = try? cursor.readAddress(size: size)
        {
            return .address(address, base: address)
        }
        try? cursor.seek(to: 0)
        var reader = LocationReader(data: self, unit: unit, addrBase: addrBase, cursor: cursor)
        do throws(ByteError) {
            if let location = try reader.read() { return location }
        } catch { throw DWARFError(section: name, start: range.offset, error) }
        throw DWARFError(
            section: name, offset: range.offset + reader.cursor.offset,
            "address index of a location expression is outside .debug_addr")
    }
}

/// Reads one location expression (DWARF 5 section 2.5).
private struct LocationReader {
    let data: DWARFData
    let unit: Unit
    let addrBase: UInt64
    var cursor: ByteCursor
    private var stack: [UInt64] = []
    /// The first address named.
    private var base: UInt64?

    /// Compilers need three.
    private static let deepest = 64

    init(data: DWARFData, unit: Unit, addrBase: UInt64, cursor: ByteCursor) {
        self.data = data
        self.unit = unit
        self.addrBase = addrBase
        self.cursor = cursor
    }

    private enum Step {
        case push(UInt64)
        case pushAddress(UInt64)
        case goOn
        case ends(VariableLocation)
        case outside
    }

    /// nil, with the cursor after it, for an address that is not in `.debug_addr`.
    mutating func read() throws(ByteError) -> VariableLocation? {
        if cursor.atEnd { return .nowhere }
        while true {
            switch try step() {
            case .pushAddress(let address):
                // Nothing is allocated for a single one.
                if stack.isEmpty, cursor.atEnd { return .address(address, base: address) }
                if base == nil { base = address }
                stack.append(address)
            case .push(let value): stack.append(value)
            case .goOn: break
            case .ends(let location): return location
            case .outside: return nil
            }
            if cursor.atEnd { break }
            if stack.count > Self.deepest { return .computed }
        }
        guard let top = stack.last else { return .nowhere }
        let bits = UInt64(unit.encoding.addressSize) * 8
        let address = bits < 64 ? top & (1 << bits - 1) : top
        return .address(address, base: base ?? address)
    }

    private mutating func step() throws(ByteError) -> Step {
        let operation = try cursor.readU8()
        switch operation {
        case 0x03:  // DW_OP_addr
            return .pushAddress(try cursor.readAddress(size: unit.encoding.addressSize))
        case 0xa1, 0xfb:  // DW_OP_addrx, DW_OP_GNU_addr_index
            return try indexed().map { .pushAddress($0) } ?? .outside
        case 0xa2, 0xfc:  // DW_OP_constx, DW_OP_GNU_const_index
            return try indexed().map { .push($0) } ?? .outside
        case 0x08: return .push(UInt64(try cursor.readU8()))  // DW_OP_const1u and so on
        case 0x09: return .push(signed(Int8(bitPattern: try cursor.readU8())))
        case 0x0a: return .push(UInt64(try cursor.readU16()))
        case 0x0b: return .push(signed(Int16(bitPattern: try cursor.readU16())))
        case 0x0c: return .push(UInt64(try cursor.readU32()))
        case 0x0d: return .push(signed(Int32(bitPattern: try cursor.readU32())))
        case 0x0e, 0x0f: return .push(try cursor.readU64())
        case 0x10: return .push(try cursor.readULEB())
        case 0x11: return .push(UInt64(bitPattern: try cursor.readSLEB()))
        case 0x30...0x4f: return .push(UInt64(operation - 0x30))  // DW_OP_lit0 ... lit31
        case 0x23:  // DW_OP_plus_uconst
            let offset = try cursor.readULEB()
            return combine(needing: 1) { $0.append($0.removeLast() &+ offset) }
        case 0x22:  // DW_OP_plus
            return combine(needing: 2) { $0.append($0.removeLast() &+ $0.removeLast()) }
        case 0x1c:  // DW_OP_minus
            return combine(needing: 2) {
                let right = $0.removeLast()
                $0.append($0.removeLast() &- right)
            }
        case 0x96: return .goOn  // DW_OP_nop
        case 0x9b, 0xe0: return .ends(.threadLocal)  // DW_OP_form_tls_address, GNU_push_tls_address
        case 0x93, 0x9d: return .ends(.pieces)  // DW_OP_piece, DW_OP_bit_piece
        // DW_OP_implicit_value, stack_value, implicit_pointer, GNU_implicit_pointer
        case 0x9e, 0x9f, 0xa0, 0xf2: return .ends(.nowhere)
        default: return .ends(.computed)
        }
    }

    private func signed(_ value: some SignedInteger) -> UInt64 {
        UInt64(bitPattern: Int64(value))
    }

    /// Performs arithmetic on the stack, if it is deep enough.
    private mutating func combine(
        needing count: Int, _ body: (inout [UInt64]) -> Void
    ) -> Step {
        guard stack.count >= count else { return .ends(.computed) }
        body(&stack)
        return .goOn
    }

    private mutating func indexed() throws(ByteError) -> UInt64? {
        data.address(index: try cursor.readULEB(), unit: unit, addrBase: addrBase)
    }
}
