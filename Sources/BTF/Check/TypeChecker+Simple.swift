// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// Kinds without elements.

extension TypeChecker {
    mutating func checkInt() {
        let size = types.word(id, 2)
        let data = types.word(id, 3)
        let encoding = data >> 24
        let bits = (data >> 16 & 0xff) + (data & 0xff)
        if data & 0xf000_ff00 != 0 {
            return error("M1", word: 3, "Invalid int_data:" + String(data, radix: 16))
        }
        if bits > 128 { error("M1", word: 3, "nr_bits exceeds 128: \(bits)") }
        if (bits + 7) / 8 > size {
            error("M1", word: 3, "nr_bits exceeds type_size: \(bits) bits in \(size) bytes")
        }
        if ![0, IntEncoding.signed, IntEncoding.char, IntEncoding.bool].contains(encoding) {
            error("M1", word: 3, "Unsupported encoding: \(encoding)")
        }
    }

    mutating func checkWrapper(_ kind: Kind) {
        let target = types.word(id, 2)
        guard requireType(target, word: 2, rule: kind.rule, void: true, "Invalid type_id"),
            target != 0
        else { return }
        guard !types.kind(target).isType else { return }
        error(
            kind == .ptr ? "R4" : "R3", word: 2,
            "Invalid type_id: \(target) is a \(types.kind(target).word)")
    }

    mutating func checkArray() {
        if types.word(id, 2) != 0 { error("M5", word: 2, "size != 0: \(types.word(id, 2))") }
        let element = types.word(id, 3)
        if requireType(element, word: 3, rule: "M5", "Invalid elem") {
            if !types.isSized(element) {
                error("R7", word: 3, "Invalid elem: \(element) has no size")
            }
            checkArraySize(element)
        }
        let index = types.word(id, 4)
        if requireType(index, word: 4, rule: "M5", "Invalid index"),
            let target = types.resolve(index),
            types.kindIfAny(target) != .int || !isRegularInt(target)
        {
            error("R6", word: 4, "Invalid index: \(index) is not an integer")
        }
    }

    private mutating func checkArraySize(_ element: UInt32) {
        if let target = types.resolve(element), types.kindIfAny(target) == .int,
            !isRegularInt(target)
        {
            error("R8", word: 3, "Invalid array of int: \(target)")
        }
        let total = types.size(of: element, pointerSize: pointerSize).multipliedReportingOverflow(
            by: UInt64(types.word(id, 5)))
        if total.overflow || total.partialValue > UInt64(UInt32.max) {
            error("R9", word: 5, "Array size overflows U32_MAX")
        }
    }

    /// Whole bytes, as many as an integer register can have.
    private func isRegularInt(_ id: UInt32) -> Bool {
        let data = types.word(id, 3)
        return data >> 16 & 0xff == 0 && [8, 16, 32, 64, 128].contains(data & 0xff)
    }

    mutating func checkFunction() {
        let linkage = types.info(id).vlen
        if linkage > 2 { error("M9", word: 1, "Invalid func linkage: \(linkage)") }
        if linkage == 2 { warning("M9", word: 1, "extern: a kernel refuses this linkage") }
        let target = types.word(id, 2)
        guard requireType(target, word: 2, rule: "R19", "Invalid type_id") else { return }
        guard types.kind(target) == .funcProto else {
            return error(
                "R19", word: 2, "Invalid type_id: \(target) is a \(types.kind(target).word)")
        }
        for index in 0..<types.count(target) {
            let type = types.word(target, 4 + index * 2)
            if type != 0, types.isEmpty(stringAt: types.word(target, 3 + index * 2)) {
                warning("R19", word: 2, "Invalid arg#\(index + 1): no name")
            }
        }
    }

    mutating func checkVariable() {
        let linkage = types.word(id, 3)
        if linkage > 2 { error("M11", word: 3, "Linkage not supported: \(linkage)") }
        if linkage == 2 { warning("M11", word: 3, "extern: a kernel refuses this linkage") }
        let target = types.word(id, 2)
        guard requireType(target, word: 2, rule: "M11", "Invalid type_id") else { return }
        // Only the address of such a symbol counts.
        if profile == .object, linkage == 2 { return }
        if !types.isSized(target) { error("R5", word: 2, "Invalid type_id: \(target) has no size") }
    }

    mutating func checkDeclTag() {
        let component = Int32(bitPattern: types.word(id, 3))
        if component < -1 { error("M14", word: 3, "Invalid component_idx: \(component)") }
        let target = types.word(id, 2)
        guard requireType(target, word: 2, rule: "R23", "Invalid type_id") else { return }
        let parts: Int
        switch types.kind(target).role {
        case .composite: parts = types.count(target)
        case .function:
            let proto = types.word(target, 2)
            parts = types.kindIfAny(proto) == .funcProto ? types.count(proto) : 0
        case .variable, .alias: parts = 0
        case .unknown: return
        case .integer, .float, .pointer, .array, .enumeration, .forward, .qualifier, .typeTag,
            .prototype, .section, .declarationTag, .location, .locationPrototype, .locationSection:
            return error(
                "R23", word: 2, "Invalid type_id: \(target) is a \(types.kind(target).word)")
        }
        if component >= 0, Int(component) >= parts {
            error(
                "R23", word: 3,
                "Invalid component_idx: \(component), the target has \(parts) parts")
        }
    }
}
