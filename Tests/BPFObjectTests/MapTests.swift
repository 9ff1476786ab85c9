// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import TestSupport
import Testing

@testable import BPFObject

/// Declarations in `.maps`.
@Suite struct MapTests {
    @Test(arguments: ObjectTests.orders) func everyMember(bigEndian: Bool) throws {
        var image = BPFImage(bigEndian: bigEndian)
        let value = image.btf.structure(
            "value", size: 24, [("a", image.btf.array(image.int, index: image.int, 6), 0)])
        let key = image.btf.typedef("key_t", image.btf.wrap(.const, image.int))
        image.map(
            "all",
            [
                ("type", image.number(1)), ("max_entries", image.number(1000)),
                ("key", image.btf.pointer(key)), ("value", image.btf.pointer(value)),
                ("map_flags", image.number(1)), ("numa_node", image.number(2)),
                ("map_extra", image.number(3)), ("pinning", image.number(1)),
            ])
        image.map(
            "numbers",
            [
                ("type", image.number(6)), ("key_size", image.number(4)),
                ("value_size", image.number(64)), ("max_entries", image.number(0)),
            ])
        let maps = try image.read().maps
        var all = MapDefinition()
        all.type = 1
        all.maxEntries = 1000
        all.keySize = 4
        all.valueSize = 24
        all.flags = 1
        all.numaNode = 2
        all.extra = 3
        all.isPinned = true
        all.keyType = TypeID(key)
        all.valueType = TypeID(value)
        #expect(maps[0].definition == all && maps[0].name == "all" && !maps[0].isInternal)
        var numbers = MapDefinition()
        numbers.type = 6
        numbers.keySize = 4
        numbers.valueSize = 64
        #expect(maps[1].definition == numbers && maps[1].offset == 64)
    }

    /// libbpf makes a ring buffer a power of two of pages.
    @Test(arguments: [
        (0, 0), (1, 4096), (4096, 4096), (4097, 8192), (12288, 16384), (1 << 20, 1 << 20),
        (0x3fff_ffff, 0x4000_0000),
    ]) func ringBuffers(given: UInt32, made: UInt32) throws {
        var image = BPFImage()
        image.map("ring", [("type", image.number(27)), ("max_entries", image.number(given))])
        #expect(try image.read().maps[0].definition.maxEntries == made)
    }

    private func mapOfMaps(_ image: inout BPFImage, type: UInt32 = 12) -> Int {
        let inner = image.btf.structure(
            size: 16, [("type", image.number(2), 0), ("max_entries", image.number(3), 64)])
        let values = image.btf.array(image.btf.pointer(inner), index: image.int, 0)
        return image.map(
            "outer", slots: 3,
            [
                ("type", image.number(type)), ("max_entries", image.number(3)),
                ("key_size", image.number(4)), ("values", values),
            ])
    }

    @Test func mapsOfMaps() throws {
        var image = BPFImage()
        _ = mapOfMaps(&image)
        let held = image.map("held", type: 2)
        let section = image.place(".maps")
        // Slots 0 and 2: three members of eight bytes come before.
        image.relocations[section] = [(24 + 16, held), (24, held)]
        let object = try image.read()
        let outer = object.maps[0]
        #expect(outer.definition.valueSize == 4 && outer.definition.inner.count == 1)
        #expect(outer.definition.inner[0].type == 2 && outer.definition.inner[0].maxEntries == 3)
        #expect(
            outer.slots == [.init(index: 0, target: .map(1)), .init(index: 2, target: .map(1))])
    }

    @Test func arraysOfPrograms() throws {
        var image = BPFImage()
        let values = image.btf.array(
            image.btf.pointer(image.btf.prototype(returns: image.int)), index: image.int, 0)
        image.map(
            "jumps", slots: 2,
            [
                ("type", image.number(3)), ("max_entries", image.number(2)),
                ("key_size", image.number(4)), ("values", values),
            ])
        let program = image.program("p", in: "xdp")
        image.relocations[image.place(".maps")] = [(24 + 8, program.symbol)]
        let object = try image.read()
        #expect(object.maps[0].slots == [.init(index: 1, target: .function(0))])
        #expect(object.maps[0].definition.valueSize == 4)
    }

    private func refused(
        _ members: (inout BPFImage) -> [(String, UInt32)]
    ) -> BPFObjectError? {
        var image = BPFImage()
        let list = members(&image)
        image.map("m", list)
        do throws(BPFObjectError) { _ = try image.read() } catch { return error }
        return nil
    }

    @Test func brokenDeclarations() {
        func message(_ members: (inout BPFImage) -> [(String, UInt32)]) -> String {
            let error = refused(members)
            #expect(error?.section == ".maps" && error?.offset == 0)
            return error?.message ?? "taken"
        }
        #expect(message { [("type", $0.number(0))] } == "map 'm' has no type")
        #expect(message { [("max_entries", $0.number(1))] } == "map 'm' has no type")
        #expect(message { [("type", $0.int)] } == "map 'm': member 'type' is not a number")
        #expect(
            message { [("type", $0.number(1)), ("colour", $0.number(1))] }
                == "map 'm': unknown member 'colour'")
        #expect(
            message {
                [
                    ("type", $0.number(1)), ("key_size", $0.number(8)),
                    ("key", $0.btf.pointer($0.int)),
                ]
            } == "map 'm': key size 4 conflicts with 8")
        #expect(
            message { [("type", $0.number(1)), ("value", $0.btf.pointer(0))] }
                == "map 'm': the type of 'value' has no size")
        #expect(
            message { [("type", $0.number(1)), ("pinning", $0.number(2))] }
                == "map 'm': pinning 2 is unknown, expected 0 or 1")
        #expect(
            message { [("type", $0.number(1)), ("values", $0.number(0))] }
                == "map 'm': only maps of maps and program arrays have 'values'")
        #expect(
            message { [("type", $0.number(12)), ("values", $0.number(0)), ("key", $0.int)] }
                == "map 'm': 'values' is not the last member")
        #expect(
            message { [("type", $0.number(12)), ("values", $0.int)] }
                == "map 'm': 'values' is not an array of pointers without a length")
    }

    @Test func staticMaps() throws {
        var image = BPFImage()
        image.map("m", type: 1)
        // The VAR comes after struct, pointers and arrays.
        let index = try #require(
            image.btf.records.firstIndex { $0.count == 4 && $0[1] >> 24 == 14 })
        image.btf.records[index][3] = Linkage.static.rawValue
        let error = #expect(throws: BPFObjectError.self) { try image.read() }
        #expect(error?.message == "map 'm' is static" && error?.hint == "remove 'static'")
    }

    @Test func brokenSlots() throws {
        func message(_ place: UInt64, _ symbol: (inout BPFImage) -> Int) throws -> String? {
            var image = BPFImage()
            _ = mapOfMaps(&image)
            let number = symbol(&image)
            image.relocations[image.place(".maps")] = [(place, number)]
            return #expect(throws: BPFObjectError.self) { try image.read() }?.message
        }
        #expect(
            try message(8) { $0.map("held", type: 2) }
                == "a reference to 'held' is not in the 'values' of a map")
        #expect(
            try message(24) { $0.program("p", in: "xdp").symbol } == "map 'outer': 'p' is not a map"
        )
        var image = BPFImage()
        _ = mapOfMaps(&image)
        let held = image.map("held", type: 2)
        image.relocations[image.place(".maps")] = [(24, held), (24, held)]
        let error = #expect(throws: BPFObjectError.self) { try image.read() }
        #expect(error?.message == "map 'outer': slot 0 is set twice")
    }

    @Test func overlapping() throws {
        var image = BPFImage()
        image.map("first", type: 1)
        let second = image.map("second", type: 2)
        image.symbols[second - 1].value = 8
        let error = #expect(throws: BPFObjectError.self) { try image.read() }
        #expect(error?.description == "x.o: .maps+0x8: map 'second' overlaps map 'first'")
    }
}
