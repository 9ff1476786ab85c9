// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import TestSupport
import Testing

@testable import BPFObject

/// What a version of libbpf does not know of an object that it opens, and which version does.
@Suite struct OpeningObstacleTests {
    private func obstacle(
        _ minor: Int, bigEndian: Bool = UInt16(1).bigEndian == 1,
        _ change: (inout BPFImage) throws -> Void
    ) throws -> BPFObjectError? {
        var image = BPFImage(bigEndian: bigEndian)
        image.program("p", in: "xdp")
        try change(&image)
        return try image.read().openingObstacle(of: LibBPFVersion(1, minor))
    }

    @Test func none() throws {
        for section in [".struct_ops", ".struct_ops.link", "?.struct_ops", ".data.x"] {
            #expect(try obstacle(1) { $0.operations("x", in: section) } == nil)
        }
    }

    @Test func byteOrder() throws {
        let isBig = UInt16(1).bigEndian != 1
        let old = try #require(try obstacle(4, bigEndian: isBig) { _ in })
        #expect(
            old.message.hasSuffix(
                "libbpf 1.4 opens objects in the byte order of its machine only, libbpf 1.5 and later in both"
            ))
        #expect(old.hint?.hasPrefix("run kbtf on a") == true)
        #expect(try obstacle(5, bigEndian: isBig) { _ in } == nil)
    }

    @Test func arenas() throws {
        func add(_ image: inout BPFImage) { image.global("x", size: 8, in: ".addr_space.1") }
        #expect(
            try obstacle(3, add)?.description
                == "x.o: .addr_space.1: 8 bytes of arena variables, which libbpf 1.3 does not know, but "
                + "libbpf 1.4 does")
        #expect(try obstacle(4, add) == nil)
    }

    /// The version of Linux 7.2 does not say that it lacks them.
    @Test func perCPU() throws {
        func add(_ image: inout BPFImage) { image.global("x", in: ".percpu") }
        #expect(try obstacle(7, add)?.message.contains("libbpf 1.8 of Linux 7.3 does") == true)
        #expect(try obstacle(8, add) == nil)
    }

    @Test func operations() throws {
        var image = BPFImage()
        image.operations("first", in: "?.struct_ops")
        image.operations("second", in: ".struct_ops.link")
        let object = try image.read()
        #expect(object.maps.isEmpty && object.structOps == ["?.struct_ops", ".struct_ops.link"])
        #expect(
            object.operations == [
                .init(name: "first", section: "?.struct_ops", size: 8),
                .init(name: "second", section: ".struct_ops.link", size: 8),
            ])
        var nameless = BPFImage()
        nameless.operations("x", of: "", in: ".struct_ops")
        let error = #expect(throws: BPFObjectError.self) { try nameless.read() }
        #expect(
            error?.description == "x.o: .struct_ops+0x0: 'x' is not a struct with a name")
    }
}
