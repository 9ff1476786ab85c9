// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

// Kinds with members, values, parameters or entries.

extension TypeChecker {
    // MARK: STRUCT, UNION

    mutating func checkMembers() {
        if onlyReferences { return checkReferencesOfMembers() }
        let flag = types.info(id).flag
        let isUnion = types.kind(id) == .union
        let size = UInt64(types.word(id, 2))
        var previous: UInt64 = 0
        let types = types
        let (words, start) = own
        for index in 0..<types.count(id) {
            let at = 3 + index * 3
            let raw = words[start + at + 2]
            let offset = UInt64(flag ? raw & 0xff_ffff : raw)
            let width = flag ? raw >> 24 : 0
            let name = words[start + at]
            func place(_ text: String) -> String { types.text(member: index, name, text) }
            let type = words[start + at + 1]
            // An empty name is written as offset 0: kernels refuse the offset of any other NUL.
            if name != 0, !types.isIdentifier(stringAt: name) {
                error("M6", word: at, place("Invalid name"))
            }
            if isUnion, offset != 0 {
                error("M6", word: at + 2, place("Invalid member bits_offset: \(offset) in a union"))
            }
            if offset < previous {
                error(
                    "M6", word: at + 2,
                    place("Invalid member bits_offset: \(offset) after \(previous)"))
            }
            previous = offset
            if (offset + 7) / 8 > size {
                error(
                    "M6", word: at + 2,
                    place(
                        "Member bits_offset exceeds its struct size: bit \(offset) of \(size) bytes"
                    ))
            }
            if requireType(type, word: at + 1, rule: "M6", place("Invalid type_id")) {
                checkMemberType(type, at: at, offset: offset, width: width, place)
            }
        }
    }

    /// Most members have one of few types.
    private mutating func checkReferencesOfMembers() {
        let types = types
        let (words, start) = own
        for index in 0..<types.count(id) {
            let at = 3 + index * 3
            let type = words[start + at + 1]
            if type < isSized.count, isSized[Int(type)] { continue }
            func place(_ text: String) -> String {
                types.text(member: index, words[start + at], text)
            }
            if requireType(type, word: at + 1, rule: "M6", place("Invalid type_id")),
                checkMemberKind(type, at: at, place) != nil
            {
                isSized[Int(type)] = true
            }
        }
    }

    /// - Returns: what values of the type are; nil if that is not known, or nothing.
    private mutating func checkMemberKind(
        _ type: UInt32, at: Int, _ place: (String) -> String
    ) -> UInt32? {
        guard let target = types.resolve(type) else { return nil }
        if types.isSized(resolved: target) { return target }
        error("R10", word: at + 1, place("Invalid member: type \(type) has no size"))
        return nil
    }

    private mutating func checkMemberType(
        _ type: UInt32, at: Int, offset: UInt64, width: UInt32, _ place: (String) -> String
    ) {
        guard let target = checkMemberKind(type, at: at, place) else { return }
        let structBits = UInt64(types.word(id, 2)) * 8
        let typeBits = types.size(of: target, pointerSize: pointerSize) * 8
        let kind = types.kind(target)
        let rule = kind == .int ? "R12" : kind.isAnyEnum ? "R14" : "R15"
        if width != 0 {
            if kind != .int, !kind.isAnyEnum {
                error(
                    rule, word: at + 2,
                    place("Invalid member bitfield_size: \(width) bits of a \(kind.word)"))
            } else if UInt64(width) > typeBits {
                error(
                    rule, word: at + 2,
                    place("Invalid member bitfield_size: \(width) bits of \(typeBits)"))
            }
            if offset + UInt64(width) > structBits {
                error(rule, word: at + 2, place("Member exceeds struct_size"))
            }
            return
        }
        // An old-style bitfield keeps its offset and width in its INT.
        if kind == .int, !types.info(id).flag {
            let data = types.word(target, 3)
            let first = offset + UInt64(data >> 16 & 0xff)
            if first + UInt64(data & 0xff) > structBits {
                error("R11", word: at + 2, place("Member exceeds struct_size"))
            }
            return
        }
        if offset % 8 != 0 {
            error("R13", word: at + 2, place("Member is not byte aligned: bit \(offset)"))
        }
        if offset + typeBits > structBits {
            error(
                "R13", word: at + 2,
                place("Member exceeds struct_size: ends at byte \((offset + typeBits) / 8)"))
        }
    }

    // MARK: ENUM, ENUM64

    mutating func checkValues() {
        let size = types.word(id, 2)
        if ![1, 2, 4, 8].contains(size) { error("M7", word: 2, "Unexpected size: \(size)") }
        let words = types.kind(id).shape.element
        for index in 0..<types.count(id) {
            let at = 3 + index * words
            let name = types.word(id, at)
            if !types.isIdentifier(stringAt: name) {
                error(
                    "M7", word: at,
                    "value \(index + 1): Invalid name "
                        + String(systemBytes: types.string(at: name)))
            }
        }
    }

    // MARK: FUNC_PROTO

    mutating func checkPrototype() {
        let result = types.word(id, 2)
        if requireType(result, word: 2, rule: "R20", void: true, "Invalid return type") {
            // Void behind a typedef or a qualifier is a valid return type in C.
            if let target = types.resolve(result), target != 0,
                !types.isSized(resolved: target)
            {
                error("R20", word: 2, "Invalid return type: \(result) has no size")
            }
        }
        let count = types.count(id)
        let (words, start) = own
        for index in 0..<count {
            let at = 3 + index * 2
            let name = words[start + at]
            let type = words[start + at + 1]
            if type == 0 {
                if index != count - 1 || name != 0 {
                    error("R21", word: at, "Invalid arg#\(index + 1): void")
                }
                continue
            }
            if name != 0, !types.isIdentifier(stringAt: name) {
                error("R21", word: at, "Invalid arg#\(index + 1): name")
            }
            if requireType(type, word: at + 1, rule: "R21", "Invalid arg#\(index + 1)"),
                !types.isSized(type)
            {
                error("R21", word: at + 1, "Invalid arg#\(index + 1): \(type) has no size")
            }
        }
    }

    // MARK: DATASEC

    /// The DATASEC of a compiler or linker: libbpf fills in sizes and offsets, and sorts the
    /// entries.
    private mutating func checkSectionOfObject() {
        let size = UInt64(types.word(id, 2))
        for index in 0..<types.count(id) {
            let at = 3 + index * 3
            let entry = types.word(id, at)
            var place: String { "entry \(index + 1): " }
            guard requireType(entry, word: at, rule: "M12", place + "Invalid type_id") else {
                continue
            }
            switch types.kind(entry) {
            // In a FUNC, the field for the number of elements holds the linkage.
            case .func where TypeInfo(rawValue: types.word(entry, 1)).vlen == 2: continue
            case .var where types.word(entry, 3) == 2: continue
            case .unknown: continue
            case .var where types.word(id, at + 2) == 0: sizeless(entry, at: at, place)
            case .var where size == 0: continue
            case .var:
                let end = UInt64(types.word(id, at + 1)) + UInt64(types.word(id, at + 2))
                if end > size {
                    error(
                        "M12", word: at + 1,
                        place + "Invalid offset+size: ends at \(end) of \(size)")
                }
            default:
                let word = types.kind(entry).word
                error("R22", word: at, place + "Not a VAR kind member: \(entry) is a \(word)")
            }
        }
    }

    /// A variable such as `long zero[0]`. No loader gives it a size.
    private mutating func sizeless(_ variable: UInt32, at word: Int, _ place: String) {
        error(
            "M12", word: word + 2,
            place + "Invalid size: 0: variable '\(types.name(variable))' ("
                + "\(types.text(types.word(variable, 2)))) has no size, and kernels reject BTF with it"
        )
    }

    mutating func checkSection() {
        if profile == .object { return checkSectionOfObject() }
        let size = UInt64(types.word(id, 2))
        let count = types.count(id)
        if size == 0 {
            // Compilers leave it to the loader; entries have no offsets yet.
            warning("M12", word: 2, "size == 0: not filled in yet")
            for index in 0..<count where types.word(id, 5 + index * 3) == 0 {
                let variable = types.word(id, 3 + index * 3)
                if types.kindIfAny(variable) == .var, types.word(variable, 3) != 2 {
                    sizeless(variable, at: 3 + index * 3, "entry \(index + 1): ")
                }
            }
            return
        }
        var end: UInt64 = 0
        var sum: UInt64 = 0
        for index in 0..<count {
            let at = 3 + index * 3
            let variable = types.word(id, at)
            let offset = UInt64(types.word(id, at + 1))
            let length = UInt64(types.word(id, at + 2))
            var place: String { "entry \(index + 1): " }
            // A declaration left by a linker has no offset until the definition is found.
            if types.kindIfAny(variable) == .var, types.word(variable, 3) == 2, offset == 0,
                index > 0
            {
                continue
            }
            if offset < end || offset >= size {
                error(
                    "M12", word: at + 1,
                    place + "Invalid offset: \(offset), the one before ends at \(end) of \(size)")
            }
            if length == 0, types.kindIfAny(variable) == .var {
                sizeless(variable, at: at, place)
            } else if length == 0 || length > size {
                error("M12", word: at + 2, place + "Invalid size: \(length) of \(size)")
            } else if offset + length > size {
                error(
                    "M12", word: at + 1,
                    place + "Invalid offset+size: \(offset) + \(length) of \(size)")
            }
            end = offset + length
            sum += length
            guard requireType(variable, word: at, rule: "M12", place + "Invalid type_id") else {
                continue
            }
            guard types.kind(variable) == .var else {
                let word = types.kind(variable).word
                error("R22", word: at, place + "Not a VAR kind member: \(variable) is a \(word)")
                continue
            }
            let needed = types.size(of: types.word(variable, 2), pointerSize: pointerSize)
            if length < needed {
                error(
                    "R22", word: at + 2, place + "Invalid size: \(length), its type has \(needed)")
            }
        }
        if sum > size {
            error("M12", word: 2, "Invalid btf_info size: entries have \(sum) of \(size)")
        }
    }
}

extension TypeTable {
    fileprivate func text(member index: Int, _ name: UInt32, _ text: String) -> String {
        "member \(index + 1) " + String(systemBytes: string(at: name)) + ": " + text
    }
}
