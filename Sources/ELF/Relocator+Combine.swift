// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension Relocator {
    /// The operations that depend on the old value: those of RISC-V and LoongArch.
    ///
    /// - Parameter room: bytes from the target to the section's end, at least the action's width.
    @unsafe @inline(never)
    func combine(
        _ action: RelocationAction, _ target: UnsafeMutableRawPointer, room: UInt64,
        _ value: UInt64,
        _ swap: Bool
    ) -> ELFFault? {
        let width = UInt64(action.width)
        // SAFETY: width <= room, checked by the caller, and there is at least one byte.
        switch action.operation {
        case .set: unsafe target.store(value, width, swap)
        // Differences wrap: the two halves of a pair come in either order.
        case .add: unsafe target.store(target.signExtended(width, swap) &+ value, width, swap)
        case .subtract: unsafe target.store(target.signExtended(width, swap) &- value, width, swap)
        case .set6, .add6, .subtract6:
            let old = unsafe target.load(as: UInt8.self)
            let low = UInt8(truncatingIfNeeded: value)
            let new: UInt8 =
                switch action.operation {
                case .set6: low
                case .add6: old &+ low
                default: old &- low
                }
            unsafe target.storeBytes(of: old & 0xc0 | new & 0x3f, as: UInt8.self)
        default: return unsafe combineULEB(action.operation, target, room: room, value)
        }
        return nil
    }

    @unsafe
    private func combineULEB(
        _ operation: RelocationAction.Operation, _ target: UnsafeMutableRawPointer, room: UInt64,
        _ value: UInt64
    ) -> ELFFault? {
        var old: UInt64 = 0
        var length = 0
        while true {
            guard length < 10, UInt64(length) < room else {
                return .unsupported("a relocation of an unterminated ULEB128 number")
            }
            // SAFETY: length < room.
            let byte = unsafe target.load(fromByteOffset: length, as: UInt8.self)
            old |= UInt64(byte & 0x7f) << UInt64(length * 7)
            length += 1
            if byte < 0x80 { break }
        }
        let bits = UInt64(length * 7)
        let sum =
            switch operation {
            case .setULEB: value
            case .addULEB: old &+ value
            default: old &- value
            }
        // After the first half of a pair the value may exceed the field; the second brings it back.
        let rest = bits < 64 ? sum & (1 << bits - 1) : sum
        for index in 0..<length {
            let more: UInt8 = index < length - 1 ? 0x80 : 0
            let byte = UInt8(truncatingIfNeeded: rest >> UInt64(index * 7)) & 0x7f | more
            // SAFETY: index < length <= room.
            unsafe target.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        }
        return nil
    }
}

// SAFETY: the caller has checked that the accessed bytes exist, for all of these.
extension UnsafeRawPointer {
    @inline(__always)
    func load64(_ swap: Bool) -> UInt64 {
        let value = unsafe loadUnaligned(as: UInt64.self)
        return swap ? value.byteSwapped : value
    }

    @inline(__always)
    func load32(_ swap: Bool) -> UInt32 {
        let value = unsafe loadUnaligned(as: UInt32.self)
        return swap ? value.byteSwapped : value
    }
}

// SAFETY: as above.
extension UnsafeMutableRawPointer {
    @inline(__always)
    func store64(_ value: UInt64, _ swap: Bool) {
        unsafe storeBytes(of: swap ? value.byteSwapped : value, as: UInt64.self)
    }

    /// Stores the low `width` bytes: 1, 2, 4 or 8.
    @inline(__always)
    func store(_ value: UInt64, _ width: UInt64, _ swap: Bool) {
        switch width {
        case 4:
            let part = UInt32(truncatingIfNeeded: value)
            unsafe storeBytes(of: swap ? part.byteSwapped : part, as: UInt32.self)
        case 8: unsafe store64(value, swap)
        case 2:
            let part = UInt16(truncatingIfNeeded: value)
            unsafe storeBytes(of: swap ? part.byteSwapped : part, as: UInt16.self)
        default: unsafe storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
        }
    }

    /// The signed number in `width` bytes: 1, 2, 4 or 8.
    @inline(__always)
    func signExtended(_ width: UInt64, _ swap: Bool) -> UInt64 {
        switch width {
        case 4:
            let part = unsafe loadUnaligned(as: UInt32.self)
            let value = Int32(bitPattern: swap ? part.byteSwapped : part)
            return UInt64(bitPattern: Int64(value))
        case 8:
            let value = unsafe loadUnaligned(as: UInt64.self)
            return swap ? value.byteSwapped : value
        case 2:
            let part = unsafe loadUnaligned(as: UInt16.self)
            return UInt64(bitPattern: Int64(Int16(bitPattern: swap ? part.byteSwapped : part)))
        default: return UInt64(bitPattern: Int64(unsafe load(as: Int8.self)))
        }
    }
}
