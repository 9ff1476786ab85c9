// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Testing

@testable import Skeleton

/// Where loaders read what logs they want. That kernels write them, guests show:
/// selftests/preload.sh.
@Suite("logs of loading")
struct LoaderLogTests {
    private static let exit: [UInt8] = [0x95, 0, 0, 0, 0, 0, 0, 0]

    /// r0 = the context's value at `offset`; to the loader's data.
    private static func copy(_ code: UInt8, _ offset: UInt8, isBig: Bool) -> [UInt8] {
        [code] + (isBig ? [0x06, 0, offset] : [0x60, offset, 0]) + [0, 0, 0, 0]
            + [UInt8](repeating: 0x18, count: 16) + [UInt8](repeating: 0x63, count: 8)
    }

    private static func place(isBig: Bool) -> [UInt8] {
        copy(0x61, 8, isBig: isBig) + copy(0x61, 12, isBig: isBig) + copy(0x79, 16, isBig: isBig)
    }

    private func logs(_ instructions: [UInt8], isBig: Bool = false) -> LoaderLogs? {
        var skeleton = ModuleSketch.skeleton(programs: [
            ModuleSketch.program("opened", .tracing),
            ModuleSketch.program("spare", .tracing, isLoaded: false),
            ModuleSketch.program("closed", .tracing),
        ])
        skeleton.instructions = instructions
        skeleton.byteOrder = isBig ? .big : .little
        return LoaderLogs(of: skeleton)
    }

    @Test("the BTF comes first, then the programs that are loaded", arguments: [false, true])
    func places(isBig: Bool) throws {
        let place = Self.place(isBig: isBig)
        // Another member of the context, and the level alone, are none.
        let others = Self.copy(0x61, 24, isBig: isBig) + Self.copy(0x61, 8, isBig: isBig)
        let instructions = [others, place, Self.exit, place, place].flatMap { $0 }
        let found = try #require(logs(instructions, isBig: isBig))
        #expect(
            found.places == [
                .init(program: nil, instruction: 8), .init(program: "opened", instruction: 21),
                .init(program: "closed", instruction: 33),
            ])
    }

    @Test("an object may have no BTF")
    func withoutBTF() {
        let place = Self.place(isBig: false)
        #expect(logs(place + place)?.places.map(\.program) == ["opened", "closed"])
    }

    @Test("what does not fit the programs is no place", arguments: [0, 1, 4])
    func others(count: Int) {
        let place = Self.place(isBig: false)
        #expect(logs(Self.exit + [[UInt8]](repeating: place, count: count).flatMap { $0 }) == nil)
        // The end of the loader is no place either.
        #expect(logs(place + place.dropLast(8)) == nil)
    }
}
