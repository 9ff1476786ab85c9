// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Cases for a kernel, the same for the same ground.
package struct VerdictCases {
    let ground: VerdictGround
    private var list: [VerdictCase] = []

    /// - Parameter seed: other than 0, the random ones among them are others.
    package static func all(_ ground: VerdictGround, seed: UInt64 = 0) -> [VerdictCase] {
        var cases = VerdictCases(ground: ground)
        let seed = seed << 16
        for way in [VerdictCase.Way.program, .module] {
            cases.addLimits(way)
            cases.addHeaders(way)
            cases.addMutants(way, seed: seed + 1, count: 1000)
            cases.addGraphs(way, seed: seed + 2, count: 800)
            cases.addDeep(way, seed: seed + 7)
        }
        cases.addFields(seed: seed + 3, count: 1000)
        cases.addDistilled(seed: seed + 4, count: 600)
        return cases.list
    }

    private init(ground: VerdictGround) { self.ground = ground }

    // MARK: Making cases

    func prelude(_ way: VerdictCase.Way) -> VerdictBlob {
        way == .program
            ? .prelude() : .prelude(firstID: ground.firstID, stringBase: ground.stringBase)
    }

    func object(_ way: VerdictCase.Way) -> VerdictBlob {
        way == .program
            ? .object() : .object(firstID: ground.firstID, stringBase: ground.stringBase)
    }

    mutating func add(
        _ way: VerdictCase.Way, _ blob: VerdictBlob, base: VerdictBlob? = nil
    ) {
        list.append(VerdictCase(way: way, btf: blob.bytes(), base: base?.bytes()))
    }

    mutating func add(_ one: VerdictCase) { list.append(one) }

    // MARK: Limits

    private static let sizes: [UInt32] = [
        0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 64, 127, 128, 129, 0xffff,
        0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, .max,
    ]

    private func names(_ blob: VerdictBlob) -> [UInt32] {
        let end = blob.stringBase + UInt32(blob.strings.count)
        return VerdictBlob.names.map { blob.name(bytes: $0) }
            + [0, blob.name("x") + 1, end - 1, end, end + 1, 0xff_ffff, 0x100_0000, .max]
    }

    /// Where a word may be a name, or something else.
    private func fewNames(_ blob: VerdictBlob) -> [UInt32] {
        let end = blob.stringBase + UInt32(blob.strings.count)
        return ["foo", "a.b", "1a", "a b"].map(blob.name) + [blob.name("x") + 1, end - 1, end]
    }

    private func ids(_ blob: VerdictBlob) -> [UInt32] {
        let next = blob.nextID
        return (blob.firstID..<next + 3).map { $0 }
            + [0, 0xf_fffe, 0xf_ffff, 0x10_0000, 0x7fff_ffff, .max]
            + (blob.firstID > 1 ? [1, blob.firstID - 1] : [])
    }

    /// Kinds as they are, for each of which one word after the other takes all of its limits.
    private func templates(_ blob: VerdictBlob) -> [(kind: UInt32, words: [UInt32])] {
        let (x, y, int) = (blob.name("x"), blob.name("foo"), blob.firstID)
        return [
            (1, [x, 0, 4, 0x0100_0020]), (2, [0, 0, int]), (3, [0, 0, 0, int, int, 2]),
            (4, [x, 2, 16, y, int, 0, x, int, 32]),
            (4, [x, 1 << 31 | 2, 8, y, int, 3 << 24, x, int, 32]),
            (5, [x, 1, 8, y, int, 0]), (6, [x, 1, 4, y, 1]), (7, [x, 0, 0]), (8, [x, 0, int]),
            (9, [0, 0, int]), (10, [0, 0, int]), (11, [0, 0, int]),
            (12, [x, 0, blob.firstID + 2]), (13, [0, 2, int, y, int, 0, 0]), (14, [x, 0, int, 1]),
            (15, [x, 1, 16, blob.firstID + 4, 0, 4]), (16, [x, 0, 8]),
            (17, [x, 0, blob.firstID + 1, 0]),
            (17, [x, 0, blob.firstID + 3, .max]), (18, [x, 0, int]), (19, [x, 1, 8, y, 1, 0]),
        ]
    }

    private mutating func addLimits(_ way: VerdictCase.Way) {
        let blob = prelude(way)
        for (kind, template) in templates(blob) {
            let info = kind << 24 | template[1]
            var words = template
            words[1] = info
            func emit(_ words: [UInt32]) {
                var copy = blob
                copy.records.append(words)
                add(way, copy)
            }
            for bits: UInt32 in [
                0, 1, 2, 0xff, 0xffff, 0x1_0000, 0x80_0000, 0xff_ffff, 0x2000_0000, 0x4000_0000,
                0x6000_0000,
            ] {
                for flag: UInt32 in [0, 1 << 31] {
                    var copy = words
                    copy[1] = kind << 24 | bits | flag
                    emit(copy)
                }
            }
            for word in words.indices where word != 1 {
                let values = Set(
                    word == 0
                        ? names(blob) : Self.sizes + ids(blob) + (word > 2 ? fewNames(blob) : []))
                for value in values.sorted() {
                    var copy = words
                    copy[word] = value
                    emit(copy)
                }
            }
            for count in 1..<words.count { emit(Array(words.prefix(count))) }
        }
        for kind: UInt32 in [0, 20, 21, 22, 31, 32, 64, 127] {
            var copy = blob
            copy.add(0)
            copy.records[copy.records.count - 1][1] = kind << 24
            add(way, copy)
        }
        // Data and encodings of an INT.
        for shift in 0..<32 {
            var copy = blob
            copy.add(1, copy.name("x"), 16, [1 << UInt32(shift)])
            add(way, copy)
        }
        for encoding: UInt32 in 0..<16 {
            for bits: UInt32 in [0, 1, 7, 8, 32, 64, 128, 129, 255] {
                var copy = blob
                copy.add(1, copy.name("x"), 16, [encoding << 24 | bits])
                add(way, copy)
            }
        }
        addMembers(way)
    }

    /// Members of each kind at offsets and widths near the limits, with the flag and without.
    private mutating func addMembers(_ way: VerdictCase.Way) {
        let plain = prelude(way)
        var blob = plain
        let types = [
            blob.firstID, blob.firstID + 1, blob.firstID + 6, blob.firstID + 7, blob.firstID + 8,
            blob.firstID + 9, blob.firstID + 10, blob.add(1, blob.name("x"), 4, [0x0003_0005]),
            blob.add(19, blob.name("foo"), 8), blob.add(6, blob.name("bar"), 1),
            blob.add(10, 0, blob.firstID + 9), blob.add(1, blob.name("y"), 16, [128]),
            blob.add(10, 0, 0), blob.add(3, 0, 0, [blob.firstID, blob.firstID, 0]),
        ]
        for type in types {
            for size: UInt32 in [1, 4, 8, 16] {
                for offset: UInt32 in [0, 1, 8, 32, 64] {
                    var copy = blob
                    copy.add(4, copy.name("x"), size, vlen: 1, [copy.name("y"), type, offset])
                    add(way, copy)
                    guard way == .program else { continue }
                    for width: UInt32 in [0, 1, 8, 32, 33] {
                        var copy = blob
                        copy.add(
                            4, copy.name("x"), size, vlen: 1, flag: true,
                            [copy.name("y"), type, width << 24 | offset])
                        add(way, copy)
                    }
                }
            }
        }
    }

    private mutating func addHeaders(_ way: VerdictCase.Way) {
        for (length, layout) in [(24, []), (32, []), (32, [1, 2, 3, 4]), (40, [])]
            as [(Int, [UInt8])]
        {
            var blob = prelude(way)
            blob.headerLength = length
            blob.layout = layout
            let whole = blob.bytes().count
            let rest = UInt32(whole - length)
            for field in 0..<8 where field < length / 4 || field < 6 {
                var values =
                    Self.sizes + [
                        20, 24, 28, 36, 40, rest - 1, rest, rest + 1, UInt32(whole),
                        UInt32(whole) + 1,
                    ]
                if field == 0 {
                    values = [0, 0xeb9f, 0x1_eb9f, 0x2_eb9f, 0x101_eb9f, 0x9feb_0100, .max]
                }
                let right = [
                    0x1_eb9f, UInt32(length), 0, rest - UInt32(blob.strings.count + layout.count),
                    rest - UInt32(blob.strings.count + layout.count), UInt32(blob.strings.count),
                ]
                if field > 0, field < 6 { values += [right[field] &- 1, right[field] &+ 1] }
                for value in Set(values).sorted() {
                    var copy = blob
                    copy.header[field] = value
                    add(way, copy)
                }
            }
            for count in [0, 1, 2, 3, 4, 7, 8, 9, 20, 23, 24, 25, 31, 32, 33, whole - 1] {
                var copy = blob
                copy.cut = count
                add(way, copy)
            }
            for byte in 24..<max(length, 24) {
                var bytes = blob.bytes()
                bytes[byte] = 1
                list.append(VerdictCase(way: way, btf: bytes, base: nil))
            }
        }
        addShapes(way)
    }

    /// Sections in other orders, layouts of other shapes, strings without NUL, nothing at all.
    private mutating func addShapes(_ way: VerdictCase.Way) {
        let blob = prelude(way)
        let types = UInt32(blob.records.reduce(0) { $0 + $1.count } * 4)
        let strings = UInt32(blob.strings.count)
        func raw(_ fields: [UInt32], _ body: [UInt8]) {
            var copy = VerdictBlob(firstID: blob.firstID, stringBase: blob.stringBase)
            copy.headerLength = fields.count * 4
            copy.strings = body
            for (index, value) in fields.enumerated() where index < 8 { copy.header[index] = value }
            add(way, copy)
        }
        let whole = blob.bytes()
        let (records, names) = (Array(whole[24..<24 + Int(types)]), blob.strings)
        let start: [UInt32] = [0x1_eb9f]
        raw(start + [24, strings, types, 0, strings], names + records)
        for pad in 0..<4 {
            let padded = names + [UInt8](repeating: 0, count: pad)
            raw(
                start + [24, UInt32(padded.count), types, 0, UInt32(padded.count)], padded + records
            )
        }
        raw(start + [32, 0, types, types, strings, 0, 0], records + names)
        for length: UInt32 in [1, 3, 4, 5, 8, 75, 76] {
            let layout = [UInt8](repeating: 0, count: Int(length))
            raw(
                start + [32, 0, types, types, strings, types + strings, length],
                records + names + layout)
            raw(
                start + [32, length, types, length + types, strings, 0, length],
                layout + records + names)
            raw(
                start + [32, 0, types, types + length, strings, types, length],
                records + layout + names)
        }
        raw(start + [24, 0, 0, 0, 0], [])
        raw(start + [8], [])
        raw(start + [24, 0, 0, 0, 1], [0])
        raw(start + [24, 0, 0, 0, 1], [1])
        raw(start + [24, 0, types, types, 0], records)
        raw(start + [24, 0, types, types, strings], records + names.dropLast() + [1])
        raw(start + [24, 0, types, types, strings], records + [0x61] + names.dropFirst())
        for count in 1..<12 {
            let cut = types - UInt32(count)
            raw(start + [24, 0, cut, cut, strings], records.dropLast(count) + names)
        }
    }
}
