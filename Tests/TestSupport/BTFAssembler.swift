// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes

/// Puts a BTF blob together from literals: each call adds one record and gives its id.
///
///     var asm = BTFAssembler()
///     let int = asm.int("int")
///     asm.structure("point", size: 8, [("x", int, 0), ("y", int, 32)])
///     let btf = try asm.parse()
///
/// Nothing is checked, so broken blobs can be written as well; `raw` writes any words.
package struct BTFAssembler {
    package var bigEndian: Bool
    /// 24, or 32 for the header with the layout section's place.
    package var headerLength: Int
    package let base: BTF?
    /// Bytes of the layout section; written only under a 32-byte header.
    package var layout: [UInt8] = []
    /// The words of each record; ids count from the base's end on.
    package var records: [[UInt32]] = []
    private var strings: [UInt8]
    private var offsets: [String: UInt32] = [:]
    private let stringBase: UInt32

    /// - Parameters:
    ///   - base: what the blob continues; its string and type numbers start after it.
    ///   - startsWithEmpty: it has an empty string of its own, which is usual without a base.
    package init(
        bigEndian: Bool = false, headerLength: Int = 24, base: BTF? = nil,
        startsWithEmpty: Bool? = nil
    ) {
        self.bigEndian = bigEndian
        self.headerLength = headerLength
        self.base = base
        strings = startsWithEmpty ?? (base == nil) ? [0] : []
        stringBase = UInt32(base.map { $0.stringBase + $0.strings.count } ?? 0)
    }

    /// The id that the next record gets.
    package var nextID: UInt32 { (base?.typeCount ?? 1) + UInt32(records.count) }

    /// Offset of a string, added when new; "" is 0.
    package mutating func string(_ text: String) -> UInt32 {
        if text.isEmpty { return 0 }
        if let offset = offsets[text] { return offset }
        let offset = stringBase + UInt32(strings.count)
        strings.append(contentsOf: text.utf8)
        strings.append(0)
        offsets[text] = offset
        return offset
    }

    /// Adds the words of a record as they are.
    @discardableResult
    package mutating func raw(_ words: [UInt32]) -> UInt32 {
        let id = nextID
        records.append(words)
        return id
    }

    /// Adds a record of `kind` with the words after the common three.
    @discardableResult
    package mutating func record(
        _ kind: Kind, _ name: String = "", third: UInt32 = 0, vlen: Int = 0, flag: Bool = false,
        _ rest: [UInt32] = []
    ) -> UInt32 {
        raw([string(name), TypeInfo(kind, vlen: vlen, flag: flag).rawValue, third] + rest)
    }

    /// The string section so far.
    package var stringSection: [UInt8] { strings }

    /// The whole blob: header, types, strings, layout.
    package func bytes() -> [UInt8] {
        let words = records.flatMap { $0 }
        let typeLength = UInt32(words.count * 4)
        var writer = ByteWriter(bigEndian: bigEndian)
        writer.put(Header.magic)
        writer.put(UInt8(1))
        writer.put(UInt8(0))
        for field in [UInt32(headerLength), 0, typeLength, typeLength, UInt32(strings.count)] {
            writer.put(field)
        }
        if headerLength >= Header.longLength {
            writer.put(layout.isEmpty ? 0 : typeLength + UInt32(strings.count))
            writer.put(UInt32(layout.count))
        }
        var bytes: [UInt8] = []
        append(words, to: &bytes, bigEndian: bigEndian)
        writer.put(bytes)
        writer.put(strings)
        if headerLength >= Header.longLength { writer.put(layout) }
        return writer.bytes
    }

    package func parse() throws -> BTF { try BTF.parse(ByteView(bytes()), base: base) }
}

// MARK: Permuting

extension BTFAssembler {
    /// The same types in another order, with ids to match. For records without a base.
    package func shuffled(seed: UInt64) -> BTFAssembler {
        var order = Array(records.indices)
        var random = SeededRandom(seed: seed)
        order.shuffle(using: &random)
        var places = [UInt32](repeating: 0, count: records.count)
        for (place, record) in order.enumerated() { places[record] = UInt32(place) + 1 }
        func moved(_ id: UInt32) -> UInt32 {
            id == 0 || id > places.count ? id : places[Int(id) - 1]
        }
        var copy = self
        copy.records = order.map { index in
            var words = records[index]
            let info = TypeInfo(rawValue: words[1])
            guard let shape = info.kind?.shape else { return words }
            if shape.refersToType { words[2] = moved(words[2]) }
            for word in 0..<shape.fixed where shape.fixedTypes & (1 << word) != 0 {
                words[3 + word] = moved(words[3 + word])
            }
            for element in stride(from: 3 + shape.fixed, to: words.count, by: max(shape.element, 1))
            {
                for word in 0..<shape.element where shape.elementTypes & (1 << word) != 0 {
                    words[element + word] = moved(words[element + word])
                }
            }
            return words
        }
        return copy
    }
}

// MARK: One function per kind

extension BTFAssembler {
    @discardableResult
    package mutating func int(
        _ name: String = "int", size: UInt32 = 4, encoding: UInt32 = IntEncoding.signed,
        offset: UInt32 = 0, bits: UInt32? = nil
    ) -> UInt32 {
        record(.int, name, third: size, [encoding << 24 | offset << 16 | (bits ?? size * 8)])
    }

    /// PTR, CONST, VOLATILE or RESTRICT; TYPEDEF and TYPE_TAG with a name.
    @discardableResult
    package mutating func wrap(_ kind: Kind, _ target: UInt32, named name: String = "") -> UInt32 {
        record(kind, name, third: target)
    }

    @discardableResult
    package mutating func pointer(_ target: UInt32) -> UInt32 { wrap(.ptr, target) }

    @discardableResult
    package mutating func typedef(_ name: String, _ target: UInt32) -> UInt32 {
        wrap(.typedef, target, named: name)
    }

    @discardableResult
    package mutating func array(_ element: UInt32, index: UInt32, _ count: UInt32) -> UInt32 {
        record(.array, "", [element, index, count])
    }

    /// Members as (name, type, bit offset).
    @discardableResult
    package mutating func structure(
        _ name: String = "", size: UInt32, union: Bool = false,
        _ members: [(String, UInt32, UInt32)]
    ) -> UInt32 {
        let words = members.flatMap { [string($0.0), $0.1, $0.2] }
        return record(union ? .union : .struct, name, third: size, vlen: members.count, words)
    }

    /// Members as (name, type, bit offset, bitfield width).
    @discardableResult
    package mutating func bitfields(
        _ name: String = "", size: UInt32, union: Bool = false,
        _ members: [(String, UInt32, UInt32, UInt32)]
    ) -> UInt32 {
        let words = members.flatMap { [string($0.0), $0.1, $0.3 << 24 | $0.2] }
        return record(
            union ? .union : .struct, name, third: size, vlen: members.count, flag: true, words)
    }

    @discardableResult
    package mutating func enumeration(
        _ name: String = "", size: UInt32 = 4, signed: Bool = false, _ values: [(String, Int64)]
    ) -> UInt32 {
        let words = values.flatMap { [string($0.0), UInt32(truncatingIfNeeded: $0.1)] }
        return record(.enum, name, third: size, vlen: values.count, flag: signed, words)
    }

    @discardableResult
    package mutating func enumeration64(
        _ name: String = "", size: UInt32 = 8, signed: Bool = false, _ values: [(String, UInt64)]
    ) -> UInt32 {
        let words = values.flatMap {
            [
                string($0.0), UInt32(truncatingIfNeeded: $0.1),
                UInt32(truncatingIfNeeded: $0.1 >> 32),
            ]
        }
        return record(.enum64, name, third: size, vlen: values.count, flag: signed, words)
    }

    @discardableResult
    package mutating func forward(_ name: String, union: Bool = false) -> UInt32 {
        record(.fwd, name, flag: union)
    }

    /// Parameters as (name, type); ("", 0) at the end is `...`.
    @discardableResult
    package mutating func prototype(
        returns: UInt32 = 0, _ parameters: [(String, UInt32)] = []
    ) -> UInt32 {
        let words = parameters.flatMap { [string($0.0), $0.1] }
        return record(.funcProto, third: returns, vlen: parameters.count, words)
    }

    @discardableResult
    package mutating func function(
        _ name: String, _ prototype: UInt32, linkage: Linkage = .static
    ) -> UInt32 {
        record(.func, name, third: prototype, vlen: Int(linkage.rawValue))
    }

    @discardableResult
    package mutating func variable(
        _ name: String, _ type: UInt32, linkage: Linkage = .global
    ) -> UInt32 {
        record(.var, name, third: type, [linkage.rawValue])
    }

    /// Entries as (variable, offset, size).
    @discardableResult
    package mutating func section(
        _ name: String, size: UInt32, _ entries: [(UInt32, UInt32, UInt32)]
    ) -> UInt32 {
        record(
            .datasec, name, third: size, vlen: entries.count,
            entries.flatMap { [$0.0, $0.1, $0.2] })
    }

    @discardableResult
    package mutating func float(_ name: String, size: UInt32) -> UInt32 {
        record(.float, name, third: size)
    }

    /// - Parameter component: member or parameter number; -1 for the target itself.
    @discardableResult
    package mutating func declTag(
        _ value: String, _ target: UInt32, component: Int32 = -1, flag: Bool = false
    ) -> UInt32 {
        record(.declTag, value, third: target, flag: flag, [UInt32(bitPattern: component)])
    }

    /// LOC_PARAM.
    @discardableResult
    package mutating func location(
        _ flags: UInt32, size: UInt32 = 8, _ values: [UInt32]
    ) -> UInt32 {
        record(.locParam, third: size, vlen: values.count, [flags] + values)
    }

    /// LOC_PROTO; 0 where no place is known.
    @discardableResult
    package mutating func locations(_ parameters: [UInt32]) -> UInt32 {
        record(.locProto, vlen: parameters.count, parameters)
    }

    /// LOCSEC: sites as (function, LOC_PROTO, offset).
    @discardableResult
    package mutating func sites(_ name: String, _ sites: [(UInt32, UInt32, UInt32)]) -> UInt32 {
        record(.locsec, name, vlen: sites.count, sites.flatMap { [$0.0, $0.1, $0.2] })
    }

    @discardableResult
    package mutating func typeTag(_ value: String, _ target: UInt32, flag: Bool = false) -> UInt32 {
        record(.typeTag, value, third: target, flag: flag)
    }
}
