// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// Puts a `.BTF_ids` section and its symbols together, as the macros of include/linux/btf_ids.h do.
package struct IDAssembler {
    package struct Symbol {
        package var name: String
        package var place: UInt64
        package var size: UInt64

        package init(name: String, place: UInt64, size: UInt64) {
            self.name = name
            self.place = place
            self.size = size
        }
    }

    package var bigEndian = false
    package var is64Bit = true
    /// Nil makes a relocatable file; else the section's address in a linked one.
    package var address: UInt64?
    package var bytes: [UInt8] = []
    package var symbols: [Symbol] = []

    package init(bigEndian: Bool = false, is64Bit: Bool = true, address: UInt64? = nil) {
        self.bigEndian = bigEndian
        self.is64Bit = is64Bit
        self.address = address
    }

    package mutating func word(_ value: UInt32) {
        bytes += (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * (bigEndian ? 3 - $0 : $0))) }
    }

    /// `BTF_ID`: an id outside a set, or in one.
    package mutating func id(_ type: String, value: UInt32 = 0, flags: UInt32? = nil) {
        symbol("__BTF_ID__\(type)__\(symbols.count)7")
        word(value)
        if let flags { word(flags) }
    }

    /// A symbol for the next word.
    package mutating func symbol(_ name: String, size: UInt64 = 4) {
        symbols.append(Symbol(name: name, place: UInt64(bytes.count), size: size))
    }

    /// `BTF_SET_START` .. `BTF_SET_END`; "" for `BTF_ID_UNUSED`.
    package mutating func set(
        _ name: String, count: UInt32 = 0, _ ids: [(type: String, id: UInt32)]
    ) {
        let start = bytes.count
        word(count)
        for (type, value) in ids { if type.isEmpty { word(value) } else { id(type, value: value) } }
        close("__BTF_ID__set__" + name, start)
    }

    /// `BTF_SET8_START` .. `BTF_SET8_END`.
    package mutating func set8(
        _ name: String, count: UInt32 = 0, flags: UInt32 = 0,
        _ ids: [(type: String, id: UInt32, flags: UInt32)]
    ) {
        let start = bytes.count
        word(count)
        word(flags)
        for (type, value, flags) in ids {
            if type.isEmpty {
                word(value)
                word(flags)
            } else {
                id(type, value: value, flags: flags)
            }
        }
        close("__BTF_ID__set8__" + name, start)
    }

    private mutating func close(_ name: String, _ start: Int) {
        symbols.append(
            Symbol(name: name, place: UInt64(start), size: UInt64(bytes.count - start)))
    }

    package func image() -> DWARFImage {
        var image = DWARFImage(bigEndian: bigEndian, is64Bit: is64Bit)
        if address != nil { image.type = 2 }
        _ = image.text()
        let section = image.section(".BTF_ids", bytes, flags: 2, address: address ?? 0)
        for symbol in symbols {
            image.variable(
                symbol.name, at: symbol.place &+ (address ?? 0), size: symbol.size, in: section)
        }
        return image
    }

    /// The words of `bytes`.
    package func words(_ bytes: [UInt8]) -> [UInt32] {
        ByteView(bytes).words(at: 0, count: bytes.count / 4, bigEndian: bigEndian) ?? []
    }
}
