// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// Kinds that say where functions are inlined: rules of linux-next.

extension TypeChecker {
    // MARK: LOC_PARAM

    mutating func checkLocation() {
        let size = types.word(id, 2)
        if size == 0 || size > 16 { error("M15", word: 2, "Unexpected size: \(size)") }
        let flags = types.word(id, 3)
        guard let counts = valueCounts(flags, size) else {
            return error("M15", word: 3, "Invalid flags: 0x" + String(flags, radix: 16))
        }
        let count = types.count(id)
        if !counts.contains(count) {
            error("M15", word: 1, "Invalid vlen: \(count), flags 0x" + String(flags, radix: 16))
        }
    }

    /// How many values there may be with these flags; nil for flags that mean nothing.
    private func valueCounts(_ flags: UInt32, _ size: UInt32) -> ClosedRange<Int>? {
        switch flags & ~LocationFlags.signed {
        case LocationFlags.constant, LocationFlags.constant | LocationFlags.address:
            // No constant is longer than eight bytes.
            return size > 8 ? 0...0 : size > 4 ? 2...2 : 1...2
        case LocationFlags.register where flags == LocationFlags.register: return 1...2
        case LocationFlags.register | LocationFlags.dereferenced
        where flags & LocationFlags.signed == 0:
            return 1...1
        case LocationFlags.register | LocationFlags.offset,
            LocationFlags.register | LocationFlags.offset | LocationFlags.dereferenced:
            return 2...3
        default: return nil
        }
    }

    // MARK: LOC_PROTO

    mutating func checkLocationPrototype() {
        let third = types.word(id, 2)
        if third != 0 { error("R25", word: 2, "Invalid loc_proto type: \(third)") }
        for index in 0..<types.count(id) {
            let place = types.word(id, 3 + index)
            // No place is known.
            guard place != 0 else { continue }
            let what = "Invalid loc_param#\(index + 1)"
            guard requireType(place, word: 3 + index, rule: "R25", what) else { continue }
            let kind = types.kind(place)
            if kind != .locParam, kind != .unknown {
                error("R25", word: 3 + index, what + ": \(place) is a \(kind.word)")
            }
        }
    }

    // MARK: LOCSEC

    mutating func checkLocationSection() {
        let third = types.word(id, 2)
        if third != 0 { error("R26", word: 2, "Invalid locsec type: \(third)") }
        for index in 0..<types.count(id) {
            let at = 3 + index * 3
            let (function, places) = (types.word(id, at), types.word(id, at + 1))
            if function == 0 {
                error("M17", word: at, "site \(index + 1): Invalid func: 0 is void")
            }
            if places == 0 {
                error("M17", word: at + 1, "site \(index + 1): Invalid loc_proto: 0 is void")
            }
            guard function != 0, places != 0 else { continue }
            guard let parameters = parameters(of: function, at: at, index),
                isLocationPrototype(places, at: at + 1, index)
            else { continue }
            if parameters != types.count(places) {
                error(
                    "R26", word: at + 1,
                    "Mismatched vlen for loc_proto#\(index + 1): \(types.count(places)) places of \(parameters) parameters"
                )
            }
        }
    }

    /// The number of parameters of a site's function; nil, after an error, if it is not one.
    private mutating func parameters(of function: UInt32, at word: Int, _ index: Int) -> Int? {
        let what = "Invalid func#\(index + 1)"
        guard requireType(function, word: word, rule: "R26", what) else { return nil }
        let kind = types.kind(function)
        guard kind == .func else {
            if kind != .unknown {
                error("R26", word: word, what + ": \(function) is a \(kind.word)")
            }
            return nil
        }
        let prototype = types.word(function, 2)
        guard types.kindIfAny(prototype) == .funcProto else {
            error("R26", word: word, what + ": \(function) has no prototype")
            return nil
        }
        return types.count(prototype)
    }

    private mutating func isLocationPrototype(_ places: UInt32, at word: Int, _ index: Int) -> Bool
    {
        let what = "Invalid loc_proto#\(index + 1)"
        guard requireType(places, word: word, rule: "R26", what) else { return false }
        let kind = types.kind(places)
        if kind != .locProto, kind != .unknown {
            error("R26", word: word, what + ": \(places) is a \(kind.word)")
        }
        return kind == .locProto
    }
}
