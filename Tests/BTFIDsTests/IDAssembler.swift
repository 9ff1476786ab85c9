// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import ELF
import TestSupport
import Testing

/// Puts a `.BTF_ids` section and its symbols together, as the macros of include/linux/btf_ids.h do.
struct IDAssembler {
    struct Symbol {
        var name: String
        var place: UInt64
        var size: UInt64
    }

    var bigEndian = false
    var is64Bit = true
    /// Nil makes a relocatable file; else the section's address in a linked one.
    var address: UInt64?
    var bytes: [UInt8] = []
    var symbols: [Symbol] = []

    mutating func word(_ value: UInt32) {
        bytes += (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * (bigEndian ? 3 - $0 : $0))) }
    }

    /// `BTF_ID`: an id outside a set, or in one.
    mutating func id(_ type: String, value: UInt32 = 0, flags: UInt32? = nil) {
        symbol("__BTF_ID__\(type)__\(symbols.count)7")
        word(value)
        if let flags { word(flags) }
    }

    /// A symbol for the next word.
    mutating func symbol(_ name: String, size: UInt64 = 4) {
        symbols.append(Symbol(name: name, place: UInt64(bytes.count), size: size))
    }

    /// `BTF_SET_START` .. `BTF_SET_END`; "" for `BTF_ID_UNUSED`.
    mutating func set(_ name: String, count: UInt32 = 0, _ ids: [(type: String, id: UInt32)]) {
        let start = bytes.count
        word(count)
        for (type, value) in ids { if type.isEmpty { word(value) } else { id(type, value: value) } }
        close("__BTF_ID__set__" + name, start)
    }

    /// `BTF_SET8_START` .. `BTF_SET8_END`.
    mutating func set8(
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

    func image() -> DWARFImage {
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

    /// Reads it back; fails the test when there is no section.
    func read() throws -> IDSection { try #require(try IDSection.read(image().file())) }

    /// The words of `bytes`.
    func words(_ bytes: [UInt8]) -> [UInt32] {
        ByteView(bytes).words(at: 0, count: bytes.count / 4, bigEndian: bigEndian) ?? []
    }
}
