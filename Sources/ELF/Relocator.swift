// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO

/// Applies relocation tables to a copy of a section.
///
/// Modules have hundreds of thousands of relocations in `.debug_info` alone, so the entries are
/// read as raw words in one loop; every index and place in them is checked.
@safe
struct Relocator {
    private let machine: UInt16
    private let is64Bit: Bool
    private let bigEndian: Bool
    private let table: RelocationTable
    // SAFETY: `base` is the memory of `storage`, written only here and only before `result` is
    // read.
    private let storage: ByteStorage
    private let base: UnsafeMutableRawPointer
    private let count: Int

    /// Copies `view`, and releases its pages if it is a mapped file.
    init(
        copying view: ByteView, machine: UInt16, is64Bit: Bool, bigEndian: Bool
    ) throws(ELFFault) {
        self.machine = machine
        self.is64Bit = is64Bit
        self.bigEndian = bigEndian
        table = RelocationTable(machine: machine, is64Bit: is64Bit)
        count = view.count
        // SAFETY: nil is handled.
        guard let memory = unsafe malloc(max(1, view.count)) else {
            throw .outOfMemory(UInt64(view.count))
        }
        // SAFETY: fresh memory of the view's size, freed once by the storage.
        unsafe base = memory
        let step = 1 << 20
        for start in stride(from: 0, to: view.count, by: step) {
            guard let part = view.slice(start, min(step, view.count - start)) else { break }
            // SAFETY: the part begins at `start` and is as long.
            unsafe part.withUnsafeBytes {
                unsafe UnsafeMutableRawBufferPointer(start: memory + start, count: $0.count)
                    .copyMemory(from: $0)
            }
            MappedPages.release(part)
        }
        storage = unsafe ByteStorage(base: UnsafeRawPointer(memory), count: view.count) {
            unsafe free(memory)
        }
    }

    /// The relocated section; `apply` must not be called afterwards.
    var result: ByteView { ByteView(storage) }

    static func entrySize(is64Bit: Bool, isRela: Bool) -> Int {
        (is64Bit ? 16 : 8) + (isRela ? (is64Bit ? 8 : 4) : 0)
    }

    /// Applies `entries`; bytes after the last whole entry are ignored.
    ///
    /// - Parameter values: S, by symbol index.
    /// - Returns: nil, or what is wrong and the offset in the section.
    func apply(_ entries: ByteView, isRela: Bool, values: [UInt64]) -> Failure? {
        // SAFETY: all accesses inside are checked against the buffers' counts.
        unsafe entries.withUnsafeBytes { raw in
            unsafe values.withUnsafeBufferPointer { values in
                unsafe table.actions.withUnsafeBufferPointer { actions in
                    isRela && is64Bit && bigEndian == hostIsBigEndian && machine != ELFMachine.mips
                        ? unsafe applyNative(raw, values, actions)
                        : unsafe applyAny(raw, values, actions, isRela: isRela)
                }
            }
        }
    }

    typealias Failure = (fault: ELFFault, place: UInt64)

    private var hostIsBigEndian: Bool { UInt16(1).bigEndian == 1 }

    /// Elf64_Rela entries in the host's byte order. Words of 4 and 8 bytes, nearly everything in
    /// debug information, are handled here, everything else and all errors by `applyOne`. This loop
    /// halves the instructions for .debug_info of sctp.ko (281,494 entries).
    @unsafe
    private func applyNative(
        _ entries: UnsafeRawBufferPointer, _ values: UnsafeBufferPointer<UInt64>,
        _ actions: UnsafeBufferPointer<RelocationAction>
    ) -> Failure? {
        let limit = UInt64(count)
        for index in 0..<(entries.count / 24) {
            // SAFETY: the entry lies inside; so the product cannot overflow.
            let entry = unsafe entries.baseAddress! + index &* 24
            let place = unsafe entry.load64(false)
            let info = unsafe (entry + 8).load64(false)
            let type = info & 0xffff_ffff
            let symbol = info >> 32
            // `place` is checked first, so the subtraction cannot wrap.
            if type < UInt64(actions.count), symbol < UInt64(values.count), place <= limit,
                limit &- place >= 8,
                case let action = unsafe actions[Int(truncatingIfNeeded: type)],
                action.operation == .absolute
            {
                // SAFETY: the symbol's index was checked; eight bytes remain at the target.
                let value =
                    unsafe values[Int(truncatingIfNeeded: symbol)]
                    &+ (entry + 16).load64(false)
                let target = unsafe base + Int(truncatingIfNeeded: place)
                if action.width == 4, value <= UInt64(UInt32.max) {
                    unsafe target.storeBytes(of: UInt32(truncatingIfNeeded: value), as: UInt32.self)
                    continue
                }
                if action.width == 8 {
                    unsafe target.storeBytes(of: value, as: UInt64.self)
                    continue
                }
            }
            // SAFETY: a whole entry is available; `applyOne` checks its fields.
            if let failure = unsafe applyOne(entry, values, actions, isRela: true) {
                return failure
            }
        }
        return nil
    }

    @unsafe
    private func applyAny(
        _ entries: UnsafeRawBufferPointer, _ values: UnsafeBufferPointer<UInt64>,
        _ actions: UnsafeBufferPointer<RelocationAction>, isRela: Bool
    ) -> Failure? {
        let size = Relocator.entrySize(is64Bit: is64Bit, isRela: isRela)
        for index in 0..<(entries.count / size) {
            // SAFETY: the entry lies inside.
            let entry = unsafe entries.baseAddress! + index * size
            if let failure = unsafe applyOne(entry, values, actions, isRela: isRela) {
                return failure
            }
        }
        return nil
    }

    /// Applies the one relocation at `entry`.
    @unsafe
    private func applyOne(
        _ entry: UnsafeRawPointer, _ values: UnsafeBufferPointer<UInt64>,
        _ actions: UnsafeBufferPointer<RelocationAction>, isRela: Bool
    ) -> Failure? {
        let swap = bigEndian != hostIsBigEndian
        let limit = UInt64(count)
        let place: UInt64
        let symbol: UInt64
        let type: UInt64
        // SAFETY: a whole entry is available.
        if is64Bit {
            place = unsafe entry.load64(swap)
            (symbol, type) = unpack(unsafe (entry + 8).load64(swap))
        } else {
            place = UInt64(unsafe entry.load32(swap))
            let info = unsafe (entry + 4).load32(swap)
            symbol = UInt64(info >> 8)
            type = UInt64(info & 0xff)
        }
        // SAFETY: the index is checked first.
        guard type < UInt64(actions.count), case let action = unsafe actions[Int(type)],
            action.operation != .unknown
        else {
            let code = UInt32(truncatingIfNeeded: type)
            return (.unknownRelocation(type: code, machine: machine), place)
        }
        if action.operation == .none || type == 0 && symbol == 0 { return nil }
        let width = UInt64(action.width)
        guard place <= limit, width <= limit - place else {
            return (.relocationOutside(place: place, size: limit), place)
        }
        guard symbol < UInt64(values.count) else {
            return (.badSymbolIndex(symbol, count: values.count), place)
        }
        // SAFETY: place + width <= count, symbol < values.count.
        let target = unsafe base + Int(place)
        var value = unsafe values[Int(symbol)]
        // Sums wrap: address arithmetic is modulo the class's word.
        if isRela, is64Bit {
            value &+= unsafe (entry + 16).load64(swap)
        } else if isRela {
            value &+= unsafe UInt64(
                bitPattern: Int64(Int32(bitPattern: (entry + 8).load32(swap))))
        } else if action.operation == .absolute || action.operation == .relative {
            value &+= unsafe target.signExtended(width, swap)
        }
        switch action.operation {
        case .absolute: break
        case .relative: value &-= place
        default:
            let room = limit - place
            return unsafe combine(action, target, room: room, value, swap).map { ($0, place) }
        }
        // In 32-bit files words wrap; elsewhere truncated bits would be lost. SAFETY (of the
        // store): place + width <= count.
        if width < 4 || width == 4 && is64Bit {
            let signed = Int64(bitPattern: value)
            let bits = Int64(width * 8)
            guard signed >> bits == 0 || signed >> (bits - 1) == -1 else {
                return (.relocationOverflow(value: value, bytes: Int(width)), place)
            }
        }
        unsafe target.store(value, width, swap)
        return nil
    }

    /// Symbol and type from a 64-bit `r_info`. MIPS has its own order of fields, which in
    /// little-endian files differs from that of a 64-bit number, and up to three types, of which
    /// only one may be used here.
    @inline(__always)
    private func unpack(_ info: UInt64) -> (symbol: UInt64, type: UInt64) {
        guard machine == ELFMachine.mips else { return (info >> 32, info & 0xffff_ffff) }
        if bigEndian { return (info >> 32, info & 0xffff_ffff) }
        let types = UInt32(truncatingIfNeeded: info >> 32).byteSwapped
        return (info & 0xffff_ffff, UInt64(types))
    }
}
