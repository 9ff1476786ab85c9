// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import TestSupport
import Testing

/// Units that define an enum in different ways beside units that only declare it, as amdgpu's
/// `enum idh_request`: what hangs on the declaration is one struct.
@Suite struct DeclaredEnumTests {
    enum Unit: String, Sendable {
        /// Only the enum, with these values.
        case first, second
        /// `struct device { struct ops { void (*call)(struct device *, enum request); } *ops; };`
        case declaring
        case deviceOfFirst, deviceOfSecond

        var btf: BTF {
            get throws {
                var asm = BTFAssembler()
                let values: [(String, Int64)] =
                    switch self {
                    case .declaring: []
                    case .first, .deviceOfFirst: [("A", 1), ("B", 2)]
                    case .second, .deviceOfSecond: [("A", 1), ("C", 7)]
                    }
                let request = asm.enumeration("request", values)
                if self == .first || self == .second { return try asm.parse() }
                let device = asm.nextID
                asm.structure("device", size: 8, [("ops", device + 1, 0)])
                asm.pointer(device + 2)
                asm.structure("ops", size: 8, [("call", device + 3, 0)])
                asm.pointer(device + 5)
                let pointer = asm.pointer(device)
                asm.prototype([("dev", pointer), ("request", request)])
                return try asm.parse()
            }
        }
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let units: [Unit]
        let devices: Int
        let enums: Int
        var testDescription: String { units.map(\.rawValue).joined(separator: ", ") }

        init(_ units: [Unit], devices: Int, enums: Int) {
            self.units = units
            self.devices = devices
            self.enums = enums
        }
    }

    static let rows = [
        Row([.declaring, .declaring], devices: 1, enums: 1),
        Row([.declaring, .deviceOfFirst], devices: 1, enums: 1),
        Row([.deviceOfFirst, .declaring], devices: 1, enums: 1),
        Row([.declaring, .deviceOfFirst, .deviceOfSecond], devices: 1, enums: 2),
        Row([.declaring, .deviceOfSecond, .declaring, .deviceOfFirst], devices: 1, enums: 2),
        Row([.first, .declaring, .deviceOfSecond, .deviceOfFirst], devices: 1, enums: 2),
        Row([.first, .second, .declaring, .deviceOfSecond], devices: 1, enums: 2),
        // Both say what they mean.
        Row([.deviceOfFirst, .deviceOfSecond], devices: 2, enums: 2),
        Row([.deviceOfFirst, .declaring, .deviceOfSecond], devices: 2, enums: 2),
    ]

    @Test(arguments: rows, [UInt64.max, 0]) func devices(_ row: Row, _ hashMask: UInt64) throws {
        let btf = try deduplicated(row.units.map { try $0.btf }, base: nil, hashMask: hashMask)
        for (name, count) in [
            ("device", row.devices), ("ops", row.devices), ("request", row.enums),
        ] {
            #expect(btf.ids(named: name).count == count, "\(name)")
        }
        let enums = btf.ownRecords.filter { $0.kind == .enum }
        #expect(
            enums.contains { $0.count == 0 }
                == (row.enums == 1 && row.devices == 1
                    && !row.units.contains(.deviceOfFirst)))
    }

    /// The device of a base whose enum was only declared.
    @Test func onABase() throws {
        let base = try deduplicated([Unit.declaring.btf], base: nil)
        let own = try deduplicated(
            [Unit.deviceOfFirst.btf, Unit.deviceOfSecond.btf], base: base)
        #expect(own.ids(named: "request").count == 3)
    }
}
