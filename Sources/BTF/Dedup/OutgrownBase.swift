// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Where own types know more than the base, which cannot change: see LateDefinitions.swift.
struct OutgrownBase: ~Copyable, Sendable {
    /// The few forward declarations of the base that came to stand for own types.
    private(set) var replaced: [UInt32: UInt32] = [:]
    /// The own types that took the place of types of the base in the end.
    var copies: [UInt32: UInt32] = [:]
    /// Own structs that were kept because the base only declares a type they lead to, each with the
    /// base's struct, or with an own one that uses it.
    private(set) var nearMisses: [(own: UInt32, base: UInt32)] = []
    /// The types of the base that units' types were settled as.
    private(set) var served = Arena<UInt32>()
    /// By id of the base.
    private var marks: Arena<UInt8>

    private enum Mark {
        /// It is in `served`.
        static let served: UInt8 = 1
        /// It is in `replaced`, where few are of the many that are looked for.
        static let replaced: UInt8 = 2
    }

    init(_ base: StoreBase) { marks = Arena(repeating: 0, count: Int(base.firstID)) }

    var isEmpty: Bool { replaced.isEmpty }

    mutating func replace(_ id: UInt32, by own: UInt32) {
        replaced[id] = own
        marks[Int(id)] |= Mark.replaced
    }

    func isReplaced(_ id: UInt32) -> Bool { marks[Int(id)] & Mark.replaced != 0 }

    mutating func add(nearMiss own: UInt32, of base: UInt32) { nearMisses.append((own, base)) }

    mutating func serve(_ id: UInt32) {
        if marks[Int(id)] & Mark.served != 0 { return }
        marks[Int(id)] |= Mark.served
        served.append(id)
    }
}
